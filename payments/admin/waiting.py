"""What stands on the page "Money that waits for you": each row with what to do about it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from django.utils import timezone

from orders.models import Order
from payments import differences
from payments.models import Refund
from payments.providers import transfer
from productbackend.text.formats import money

ROWS_MAX = 200  # of a section; the oldest first
SLOW = timedelta(hours=1)
CAUSES = {
    "cancelled": "the order was cancelled",
    "late": "the money came after the order had expired, and the goods are gone",
    "second": "the order was paid twice",
    "excess": "more came than the total",
}


@dataclass(frozen=True)
class Button:
    """A step that the page offers for a row: the last part of its path, and its text."""

    step: str
    label: str


@dataclass(frozen=True)
class Row:
    """Something that waits: the order, what it is, and the id of the refund that the buttons are about.

    `order` is None for money at a provider that belongs to none.
    """

    order: Order | None
    text: str
    refund_id: int | None = None


@dataclass(frozen=True)
class Section:
    title: str
    what_to_do: str
    rows: list[Row]
    buttons: list[Button] = field(default_factory=list)

    @property
    def count(self) -> str:
        """How many rows wait; of more than the page shows, that it shows the first."""
        return str(len(self.rows)) if len(self.rows) < ROWS_MAX else f"the first {ROWS_MAX}"


def to_send() -> Section:
    """Refunds by bank transfer that no member of staff has asked for."""
    rows = Refund.objects.filter(status=Refund.Status.PENDING, due_at=None, payment__method=transfer.CODE)
    return Section(
        "To send by bank transfer",
        "Send the amount to the customer's account, then mark it as sent. The customer gets a mail then.",
        _rows(rows),
        [Button("sent", "Mark as sent")],
    )


def failed() -> Section:
    """Failed refunds that nobody has sent again or put aside."""
    rows = Refund.objects.filter(status=Refund.Status.FAILED, resolved_at=None)
    return Section(
        "Refunds that failed",
        "The provider has refused them, or the customer's bank has sent the money back: the customer does not have it. "
        "Send it again; or pay the customer in another way, and put the refund aside.",
        _rows(rows),
        [Button("again", "Send again"), Button("aside", "Put aside")],
    )


def slow() -> Section:
    """Refunds that their providers have not done for long."""
    # One that was made at the provider's own site is due never: events and the nightly comparison tell of it.
    rows = Refund.objects.filter(status=Refund.Status.PENDING, created_at__lt=timezone.now() - SLOW)
    rows = rows.exclude(due_at=None, payment__method=transfer.CODE)
    return Section(
        "Refunds that take long",
        "They are retried by themselves, for as long as it takes. If the provider answers otherwise, its own site says "
        "why.",
        _rows(rows),
    )


def different() -> Section:
    """What contradicts itself, or a provider's books, by the last checks."""
    rows = [
        Row(each.order, f"{money(each.amount, each.currency)}: {text}" if each.amount else text)
        for each in differences.differences(ROWS_MAX)
        for text in [f"{each.what}. {each.to_do}"]
    ]
    return Section("Differences", "Each stays here until a check finds that it is resolved.", rows)


# What the page shows, in this order. Each function is called with every view of the page.
SECTIONS: list[Callable[[], Section]] = [to_send, failed, slow, different]


def _rows(refunds: Iterable[Refund]) -> list[Row]:
    found = refunds.select_related("order", "payment").order_by("pk")[:ROWS_MAX]  # type: ignore[attr-defined]
    return [Row(refund.order, describe(refund), refund.pk) for refund in found]


def describe(refund: Refund) -> str:
    """The refund as a sentence: how much, why, and what the provider said."""
    parts = [f"{money(refund.amount, refund.payment.currency)} by {refund.payment.method}"]
    why = CAUSES.get((refund.cause or "").partition(":")[0]) or refund.reason
    parts += [why] if why else []
    parts += [refund.error.rstrip(".")] if refund.error else []
    return f"{'; '.join(parts)}; since {timezone.localtime(refund.created_at):%-d %B %Y, %H:%M}."

"""The differences that checks have found, for staff: what is wrong, how much money it is about, and what to do."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from orders.models import Order
from payments.models import Difference
from productbackend.database.verification import F

Kind = Difference.Kind
TEXT_MAX = 1_000  # the column's length
TO_DO = {
    Kind.ORDER: "Something other than the shop wrote to the database: see PaymentDrift in docs/runbook.md.",
    Kind.UNKNOWN_MONEY: "Find out whose it is at the provider. If it is no order's, refund it there.",
    Kind.UNKNOWN_PAYMENT: "Are the keys of the same account as before? Look the payment up at the provider.",
    Kind.BOOKS: "Compare the payment at the provider with the order's page: the provider's books are what counts.",
}


@dataclass(frozen=True)
class Shown:
    """A difference as staff see it. `amount` is None if it is not one amount."""

    pk: int
    kind: Kind
    what: str
    to_do: str
    amount: Decimal | None
    currency: str
    order: Order | None  # None for money that belongs to no order


def differences(at_most: int | None = None) -> list[Shown]:
    """What the last checks have found, oldest first; all, or up to so many."""
    rows = Difference.objects.select_related("order").order_by("pk")[:at_most]
    return [
        Shown(
            pk=row.pk,
            kind=Kind(row.kind),
            what=row.text,
            to_do=TO_DO[Kind(row.kind)],
            amount=row.amount,
            currency=row.currency,
            order=row.order,
        )
        for row in rows
    ]


def provider_count() -> int:
    """About how many payments the ledger and a provider's books differ."""
    return Difference.objects.exclude(kind=Kind.ORDER).count()


def store(key: str, kind: Kind, text: str, **fields: object) -> None:
    """Store a difference, or what has become of it."""
    Difference.objects.update_or_create(key=key, defaults={"kind": kind, "text": text[:TEXT_MAX], **fields})


def remove(key: str) -> None:
    Difference.objects.filter(key=key).delete()


def stored_orders(found: Iterable[F]) -> Iterator[F]:
    """Pass the findings about orders on; store the orders that are wrong, and remove those that are correct again."""
    known = set(Difference.objects.filter(kind=Kind.ORDER).values_list("key", flat=True))
    for finding in found:
        key = f"order:{finding.pk}"
        if not finding.is_correct:
            store(key, Kind.ORDER, str(finding), order_id=finding.pk)
        elif key in known:
            remove(key)
        yield finding

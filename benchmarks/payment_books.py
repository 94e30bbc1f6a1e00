"""What must hold for orders, payments and stock after all faults: the shop's tables against the provider's books.

Import it after django.setup().
"""

import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from benchmarks.mailbox import Mailbox
from orders.mails import CANCELLED, CONFIRMATION, EXPIRED, PAID, REFUNDED, key
from orders.models import Order, OrderChange
from outbox.models import Mail
from payments import differences, verifying
from payments.ledger import INTO
from payments.models import MoneyMovement, Payment, ProviderEvent, Refund
from products.inventory import ledger as stock_ledger

Outage = tuple[float, float]  # from when to when by time.monotonic()
NOTICED = 2.0  # seconds after an outage in which a worker may still be ending a connection because of it
Money = tuple[str, str, str, Decimal]  # the payment's reference, kind, the movement's reference, amount
MOVEMENTS = """
    SELECT payment.reference, movement.kind, movement.reference, movement.cents, movement.key IS NOT NULL
    FROM movement JOIN payment ON payment.id = movement.payment WHERE movement.state = 'done'"""
WAITING = "SELECT (SELECT count(*) FROM event WHERE due_at IS NOT NULL) + (SELECT count(*) FROM step)"


class Provider:
    """The books of the test provider's process, read from its file."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "test-provider.sqlite3"

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=10)) as connection:
            return connection.execute(sql).fetchall()

    def waiting(self) -> int:
        """How many events and steps are to come."""
        [(count,)] = self.rows(WAITING)
        return int(str(count))

    def movements(self, *, told: bool = False) -> Counter[Money]:
        """The money that moved; if `told`, only what the shop learns without a comparison of all books.

        A capture is asked about until it is found, and a refund that the shop sent has its key.
        """
        return Counter(
            (str(payment), str(kind), str(reference), Decimal(int(str(cents))) / 100)
            for payment, kind, reference, cents, has_key in self.rows(MOVEMENTS)
            if not told or kind == "capture" or (kind == "refund" and has_key)
        )


def ledger() -> Counter[Money]:
    rows = MoneyMovement.objects.values_list("payment__reference", "kind", "reference", "amount")
    return Counter((str(payment), kind, reference, amount) for payment, kind, reference, amount in rows)


def differing(provider: Provider) -> int:
    """How many movements are in one of the books and not in the other; twice in one counts too."""
    ours, theirs = ledger(), provider.movements()
    return sum((ours - theirs).values()) + sum((theirs - ours).values())


def open_rows(since: datetime) -> dict[str, int]:
    """How many rows still wait for a worker, by their kind; closed payments that were not asked about `since`."""
    pending = Payment.objects.filter(status=Payment.Status.PENDING)
    return {
        "orders": Order.objects.filter(status=Order.Status.PENDING).count(),
        "payments": pending.count(),
        "closed payments": _unasked(since).count(),
        "refunds": Refund.objects.filter(status=Refund.Status.PENDING).count(),
        "events": ProviderEvent.objects.filter(processed_at=None, due_at__isnull=False).count(),
        "mails": Mail.objects.filter(status=Mail.Status.PENDING).count(),
    }


def make_due(since: datetime) -> None:
    """Move the clock of all that waits: retries, later looks, and the time to pay."""
    now = timezone.now()
    expire(list(Order.objects.filter(status=Order.Status.PENDING, expires_at__gt=now).values_list("number", flat=True)))
    unasked = list(_unasked(since).values_list("pk", flat=True))
    waiting: list[QuerySet[Any]] = [
        Payment.objects.filter(Q(status=Payment.Status.PENDING) | Q(pk__in=unasked)),
        Refund.objects.filter(claimed_at=None),
        ProviderEvent.objects.filter(processed_at=None),
        Mail.objects.filter(status=Mail.Status.PENDING),
    ]
    for rows in waiting:
        later = rows.filter(due_at__gt=now)
        for pk in list(later.values_list("pk", flat=True)):  # each by itself: workers lock single rows too
            rows.model.objects.filter(pk=pk, due_at__gt=now).update(due_at=now)


def expire(numbers: list[str]) -> None:
    """Let the time to pay these orders be over."""
    for number in numbers:
        Order.objects.filter(number=number, status=Order.Status.PENDING).update(expires_at=timezone.now())


def _unasked(since: datetime) -> QuerySet[Payment]:
    closed = Payment.objects.filter(due_at__isnull=False).exclude(status=Payment.Status.PENDING)
    return closed.filter(Q(checked_at=None) | Q(checked_at__lt=since))


def violations(provider: Provider, mailbox: Mailbox, outages: Sequence[Outage]) -> dict[str, int]:
    """How often each invariant is violated: counts that must be 0. The database was away in the `outages`."""
    orders = list(verifying.comparisons())
    ours, theirs = sums(ledger()), sums(provider.movements())
    return {
        "movements in one of the books only, or twice": differing(provider),
        "cents between the sums of both books": sum(abs(ours[kind] - theirs[kind]) for kind in {*ours, *theirs}),
        "payments with more refunded than captured at the provider": overdrawn(provider),
        "orders paid without a capture": Order.objects.exclude(paid_at=None).filter(movements=None).count(),
        "captures without a paid order or a refund of all": len(list(unearned())),
        "orders that became paid, cancelled or expired twice": repeated(),
        "orders that check_payments finds wrong": sum(not order.is_correct for order in orders),
        "products that check_stock finds wrong": sum(not each.is_correct for each in stock_ledger.balances()),
        "differences that staff see": len(differences.differences()),
        "refunds that failed": Refund.objects.filter(status=Refund.Status.FAILED).count(),
        "mails missing or too many": wrong_mails(),
        "mails not sent, or sent twice outside of the window": wrong_deliveries(mailbox, outages),
    }


def sums(book: Counter[Money]) -> Counter[str]:
    """The cents of each kind."""
    found: Counter[str] = Counter()
    for (_, kind, _, amount), times in book.items():
        found[kind] += int(amount * 100) * times
    return found


def overdrawn(provider: Provider) -> int:
    kept: Counter[str] = Counter()
    for (payment, kind, _, amount), times in provider.movements().items():
        kept[payment] += int(amount * 100) * times * (1 if kind in ("capture", "chargeback_reversal") else -1)
    return sum(amount < 0 for amount in kept.values())


def unearned() -> Iterator[str]:
    """The numbers of orders that are not paid and keep money."""
    holding = (Order.Status.PAID, Order.Status.FULFILLED)
    for order in Order.objects.exclude(status__in=holding).prefetch_related("movements"):
        kinds: Counter[str] = Counter()
        for row in order.movements.all():
            kinds[row.kind] += int(row.amount * 100)
        if sum(cents if kind in INTO else -cents for kind, cents in kinds.items()):
            yield order.number


def repeated() -> int:
    """How often an order reached a status again."""
    changes = Counter(OrderChange.objects.values_list("order_id", "status"))
    return sum(times > 1 for times in changes.values())


def wrong_mails() -> int:
    """The outbox against what happened: a mail for each status that an order reached, and for each refund."""
    kinds = {"paid": PAID, "cancelled": CANCELLED, "expired": EXPIRED}
    orders = Order.objects.in_bulk()
    wanted = Counter(key(CONFIRMATION, order) for order in orders.values())
    for order_id, status in OrderChange.objects.values_list("order_id", "status"):
        if status in kinds:
            wanted[key(kinds[status], orders[order_id])] += 1
    for refund in Refund.objects.filter(status=Refund.Status.DONE):
        wanted[key(REFUNDED, orders[refund.order_id], str(refund.pk))] += 1
    ours = Mail.objects.filter(kind__in=(CONFIRMATION, PAID, CANCELLED, EXPIRED, REFUNDED))
    found = Counter(map(str, ours.values_list("key", flat=True)))
    return sum((wanted - found).values()) + sum((found - wanted).values())


def wrong_deliveries(mailbox: Mailbox, outages: Sequence[Outage]) -> int:
    """Mails that were not sent, and those that arrived again after a delivery that was not interrupted.

    A worker writes the status between the server's 250 and its own QUIT. It is interrupted if it is killed before its
    QUIT, or if the database is away then: it ends the connection with QUIT, and could not write the status.
    """
    deliveries: dict[str, list[bool]] = {}
    for accepted in mailbox.accepted.values():
        for each in accepted:
            was_away = any(began <= (each.quit_at or 0) <= ended + NOTICED for began, ended in outages)
            deliveries.setdefault(each.message_id, []).append(each.quit and not was_away)
    twice = sum(any(finished[:-1]) for finished in deliveries.values())
    sent = Mail.objects.filter(status=Mail.Status.SENT).count()
    return twice + abs(Mail.objects.count() - sent) + abs(sent - len(deliveries))


def summary() -> dict[str, int]:
    """What became of the orders and their money, for the report."""
    orders = Counter(Order.objects.values_list("status", flat=True))
    late = Order.objects.filter(changes__status="expired").exclude(paid_at=None)
    return {
        **{f"orders {status}": count for status, count in sorted(orders.items())},
        "orders paid after they had expired": late.distinct().count(),
        "expired or cancelled orders whose money went back": Order.objects.filter(
            status__in=("expired", "cancelled"), refunded__gt=0
        ).count(),
        "captures": MoneyMovement.objects.filter(kind=MoneyMovement.Kind.CAPTURE).count(),
        "refunds": Refund.objects.count(),
        "refunds that were tried again": Refund.objects.filter(attempts__gt=1).count(),
        "events stored": ProviderEvent.objects.count(),
        "mails": Mail.objects.exclude(sent_at=None).filter(sent_at__gte=F("created_at")).count(),
    }

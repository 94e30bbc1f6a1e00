"""Verifies orders, payments, refunds and the ledger of money against each other, and the stock that each order holds.

What differs is read again under the order's lock, which every writer holds: an order that is being paid meanwhile is no
difference.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from django.db import transaction
from django.db.models import QuerySet, Sum

from orders.models import Order
from payments import differences
from payments.ledger import ZERO
from payments.models import MoneyMovement, Payment, PaymentCheck, Refund
from productbackend.database import verification
from products.models import StockMovement

BATCH = 200
SLICE = 5_000  # orders that one run of the job checks: about three seconds of a processor
RELATED = ("lines", "payments", "refunds", "movements", "changes")

Kind = MoneyMovement.Kind
Status = Order.Status
OF_REFUNDS = (Kind.REFUND, Kind.REFUND_REVERSAL)
HOLDING = (Status.PENDING, Status.PAID, Status.FULFILLED)  # what such an order has bought is out of stock


@dataclass(frozen=True)
class Comparison:
    """An order, and what of its money or stock is wrong."""

    pk: int
    number: str
    differences: list[str]

    @property
    def is_correct(self) -> bool:
        return not self.differences

    def __str__(self) -> str:
        return f"order {self.number}: {', '.join(self.differences)}"


@dataclass
class Facts:
    """An order, what belongs to it, and its stock movements as the sum of each product."""

    order: Order
    stock: dict[int, int]
    payments: list[Payment] = field(init=False)
    refunds: list[Refund] = field(init=False)
    movements: list[MoneyMovement] = field(init=False)

    def __post_init__(self) -> None:
        self.payments, self.refunds = list(self.order.payments.all()), list(self.order.refunds.all())
        self.movements = list(self.order.movements.all())

    def sum(self, *kinds: Kind, payment: Payment | None = None) -> Decimal:
        """The sum of the movements of these kinds: of the order, or of one payment."""
        rows = [row for row in self.movements if payment is None or row.payment_id == payment.pk]
        return sum((row.amount for row in rows if row.kind in kinds), ZERO)

    @property
    def kept(self) -> Decimal:
        into = self.sum(Kind.CAPTURE, Kind.CHARGEBACK_REVERSAL)
        return into - self.refunded() - self.sum(Kind.CHARGEBACK)

    def refunded(self, payment: Payment | None = None) -> Decimal:
        """What was refunded and has not come back."""
        return self.sum(Kind.REFUND, payment=payment) - self.sum(Kind.REFUND_REVERSAL, payment=payment)

    @property
    def going_back(self) -> Decimal:
        """What refunds that are not done are to pay back; staff see and repeat those that failed."""
        return sum((row.amount for row in self.refunds if row.status != Refund.Status.DONE), ZERO)


def order_faults(facts: Facts) -> Iterator[str]:
    """What of the order's status does not fit its money."""
    order, captured = facts.order, facts.sum(Kind.CAPTURE)
    if (order.expires_at is None) == (order.status == Status.PENDING):
        yield f"it is {order.status} and {'never expires' if order.expires_at is None else 'expires'}"
    if order.status == Status.PENDING and captured >= order.total:
        yield f"it is pending, and {captured} of {order.total} are captured"
    if order.status in (Status.PAID, Status.FULFILLED):
        # One that never waited for money is of a shop without payments, or from before it had any.
        waited = bool(facts.payments) or any(change.status == Status.PENDING for change in order.changes.all())
        if waited and captured < order.total:
            yield f"it is {order.status}, and {captured} of {order.total} are captured"
        if facts.kept - facts.going_back > order.total and facts.payments:
            yield f"{facts.kept - facts.going_back} are kept of a total of {order.total}"
    if order.status in (Status.CANCELLED, Status.EXPIRED) and facts.kept - facts.going_back > 0:
        yield f"it is {order.status}, and keeps {facts.kept - facts.going_back}"
    if order.refunded != facts.refunded():
        yield f"refunded {order.refunded} instead of {facts.refunded()}"


def payment_faults(facts: Facts) -> Iterator[str]:
    """What of a payment does not fit its order and its movements."""
    for payment in facts.payments:
        name, captured = f"payment {payment.pk}", facts.sum(Kind.CAPTURE, payment=payment)
        if payment.currency != facts.order.currency:
            yield f"{name} is in {payment.currency}"
        if (payment.status == Payment.Status.PENDING) != bool(payment.open_key):
            yield f"{name} is {payment.status}, and its open key is {payment.open_key or 'unset'}"
        if captured >= payment.amount and payment.status != Payment.Status.SUCCEEDED:
            yield f"{name} is {payment.status}, and {captured} of {payment.amount} are captured"
        if payment.status == Payment.Status.SUCCEEDED and captured == ZERO:
            yield f"{name} is succeeded without a capture"
        if (refunded := facts.refunded(payment)) > captured:
            yield f"{name} has {refunded} refunded of {captured} captured"
        reversed_ = facts.sum(Kind.CHARGEBACK_REVERSAL, payment=payment)
        if reversed_ > facts.sum(Kind.CHARGEBACK, payment=payment):
            yield f"{name} has more reversals than chargebacks"


def movement_faults(facts: Facts) -> Iterator[str]:
    """What of a movement does not fit its payment and its refund."""
    payments = {payment.pk: payment for payment in facts.payments}
    refunds = {refund.pk: refund for refund in facts.refunds}
    for row in facts.movements:
        name, payment = f"movement {row.pk}", payments.get(row.payment_id)
        if payment is None:
            yield f"{name} is of a payment of another order"
        elif row.provider != payment.method:
            yield f"{name} is of {row.provider}, its payment of {payment.method}"
        if row.currency != facts.order.currency:
            yield f"{name} is in {row.currency}"
        if row.amount <= ZERO:
            yield f"{name} has the amount {row.amount}"
        if (row.kind in OF_REFUNDS) != (row.refund_id in refunds):
            yield f"{name} is a {row.kind} with the refund {row.refund_id}"


def refund_faults(facts: Facts) -> Iterator[str]:
    """What of a refund does not fit its movements."""
    payments = {payment.pk for payment in facts.payments}
    for refund in facts.refunds:
        moved = [row for row in facts.movements if row.refund_id == refund.pk]
        amount = sum((row.amount if row.kind == Kind.REFUND else -row.amount for row in moved), ZERO)
        if amount != (refund.amount if refund.status == Refund.Status.DONE else ZERO):
            yield f"refund {refund.pk} of {refund.amount} is {refund.status}, and {amount} are in the ledger"
        if refund.payment_id not in payments or {row.payment_id for row in moved} - {refund.payment_id}:
            yield f"refund {refund.pk} is of another payment"


def stock_faults(facts: Facts) -> Iterator[str]:
    """What the order has taken from stock and put back, against what it holds; deleted products have no stock."""
    order = facts.order
    expected: defaultdict[int, int] = defaultdict(int)
    for line in order.lines.all():
        if line.restocked > line.quantity:
            yield f"{line.restocked} of {line.quantity} pieces of {line.sku} were put back"
        if line.product_id is not None and order.status in HOLDING:
            expected[line.product_id] -= line.quantity - line.restocked
    for product in sorted({*expected, *facts.stock}):
        moved, wanted = facts.stock.get(product, 0), expected[product]
        if moved != wanted:
            yield f"it is {order.status}, and moved the stock of product {product} by {moved:+d}, not {wanted:+d}"


RULES: tuple[Callable[[Facts], Iterator[str]], ...] = (
    order_faults, payment_faults, movement_faults, refund_faults, stock_faults,
)  # fmt: skip


def compare(facts: Facts) -> Comparison:
    order = facts.order
    return Comparison(order.pk, order.number, [fault for rule in RULES for fault in rule(facts)])


def comparisons(after: int = 0) -> Iterator[Comparison]:
    """Compare the orders with a primary key above `after`, in its order, with one batch in memory at a time."""
    last = after
    while batch := _read(Order.objects.filter(pk__gt=last).order_by("pk")[:BATCH]):
        for facts in batch:
            found = compare(facts)
            yield found if found.is_correct else again(found)
        last = batch[-1].order.pk


def again(found: Comparison) -> Comparison:
    """Compare an order again, under its lock."""
    with transaction.atomic():
        return next(map(compare, _read(Order.objects.select_for_update().filter(pk=found.pk))), found)


def check_next_slice() -> None:
    """Verify the next slice of orders, and store the differences for staff."""
    verification.check_next_slice(PaymentCheck, lambda after: differences.stored_orders(comparisons(after)), SLICE)


def drift() -> int:
    """How many orders differ from their payments, refunds, money or stock."""
    return verification.wrong_rows(PaymentCheck)


def checked_at() -> float:
    """When the last check of all orders was completed; 0 for never."""
    return verification.checked_at(PaymentCheck)


def _read(rows: QuerySet[Order]) -> list[Facts]:
    orders = list(rows.prefetch_related(*RELATED))
    stock = _stock(order.number for order in orders)
    return [Facts(order, stock[order.number]) for order in orders]


def _stock(numbers: Iterable[str]) -> defaultdict[str, dict[int, int]]:
    moved = StockMovement.objects.filter(order_number__in=list(numbers), product__isnull=False).order_by()
    sums: defaultdict[str, dict[int, int]] = defaultdict(dict)
    for number, product, delta in moved.values_list("order_number", "product").annotate(sum=Sum("delta")):
        sums[number][product] = delta
    return sums

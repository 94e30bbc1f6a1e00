"""Refunds as rows: what staff ask for, and what the shop does by itself. `payments.sending` calls the provider."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from orders import lifecycle
from orders.models import Order, OrderLine
from outbox.dispatching import dispatch_task
from payments import ledger, shares
from payments.models import Payment, Refund, RefundLine
from payments.providers import transfer
from productbackend.database.idempotency import IdempotencyKey
from productbackend.database.transactions import atomic_with_retry
from productbackend.errors import DomainError, InvalidValue, InvalidValues
from products.inventory import stock
from taxes.sums import CENT

if TYPE_CHECKING:
    from accounts.models import User

ZERO = ledger.ZERO
Status = Refund.Status
RESTOCKED = (Order.Status.CANCELLED, Order.Status.EXPIRED)  # all of its pieces are back in stock already
SEND = "payments.tasks.send_refund"


@dataclass(frozen=True)
class RefundItem:
    """Pieces of the order's line with this SKU."""

    sku: str
    quantity: int
    restock: bool = False


@dataclass(frozen=True)
class RefundRequest:
    """What staff ask for: an `amount`, or `items` and the `delivery`, whose amount is computed.

    `failed_id` is the failed refund that is sent again by it; else it is one of the same pieces and delivery, or of the
    same amount if it has none, if there is one.
    """

    order_id: int
    user: "User"
    amount: Decimal | None = None
    items: Sequence[RefundItem] = ()
    delivery: bool = False
    reason: str = ""
    failed_id: int | None = None
    key: IdempotencyKey | None = None

    @property
    def key_owner(self) -> str:
        return f"user:{self.user.pk}" if self.key else ""

    def earlier(self) -> Refund | None:
        """The refund of an earlier request with the key. Raises idempotency-key-reused if that request differed."""
        if self.key is None:
            return None
        found = Refund.objects.filter(key_owner=self.key_owner, idempotency_key=self.key.value).first()
        if found is not None and found.fingerprint != self.key.fingerprint:
            raise DomainError("idempotency-key-reused", "This Idempotency-Key was used with another request.")
        return found


def create(request: RefundRequest) -> tuple[Refund, bool]:
    """Create a refund, put its pieces back in stock, and dispatch it; return it, and whether it is of an earlier call.

    One by bank transfer is not dispatched: the caller settles it, else the sweep.

    Raises not-found, InvalidValue for what cannot be refunded at all, order-state if nothing was paid,
    refund-too-large with what is `refundable`, or idempotency-key-reused.
    """
    try:
        return _create(request)
    except IntegrityError:
        if request.earlier() is None:
            raise
    return _create(request)  # a concurrent request used the same key: this call finds its refund


def preview(request: RefundRequest) -> Decimal:
    """Return the amount that `create` would refund. Raises what it raises."""
    order = Order.objects.filter(pk=request.order_id).first()
    if order is None:
        raise DomainError("not-found", "There is no such order.")
    amount, _ = _amount_and_lines(order, request)
    _payment_for(order, amount)
    return amount


def create_automatic(
    *, payment: Payment, amount: Decimal, cause: str, by_staff: bool = False, user: "User | None" = None
) -> Refund | None:
    """Create the refund that `cause` causes, once, in the caller's transaction and under its lock of the order.

    Return None if the cause has its refund already, or the amount is 0. That of a bank transfer waits for staff to
    send the money, unless it is `by_staff`: their request states that they do.
    """
    if amount <= ZERO or Refund.objects.filter(cause=cause).exists():
        return None
    waits_for_staff = payment.method == transfer.CODE and not by_staff
    refund = Refund.objects.create(
        payment=payment,
        order_id=payment.order_id,
        amount=amount,
        cause=cause,
        user=user,
        due_at=None if waits_for_staff else timezone.now(),
    )
    if not waits_for_staff:
        dispatch(refund.pk)
    return refund


def refundable(order_id: int) -> Decimal:
    """What one refund of the order can have at most: it goes back by one payment."""
    rows = Payment.objects.filter(order=order_id).values_list("pk", flat=True)
    by_payment = max((ledger.payment_balance(pk).refundable for pk in rows), default=ZERO)
    return min(by_payment, ledger.order_balance(order_id).refundable).quantize(CENT)


def pieces_left(order: Order) -> dict[int, int]:
    """By the id of a line: how many of its pieces no refund has paid back. Those of a failed refund are left."""
    refunded = _refunded_lines(order)
    pieces = {pk: sum(row.quantity for row in rows) for pk, rows in refunded.items()}
    # Never below zero: a refund that had failed may be done after all, as well as the one that replaced it.
    return {line.pk: max(0, line.quantity - pieces.get(line.pk, 0)) for line in order.items}


def delivery_is_left(order: Order) -> bool:
    """Whether there is a delivery that no refund has paid back."""
    return bool(order.delivery_code) and not _standing(order).filter(delivery=True).exists()


def key_is_used(*, user: "User", key: str) -> bool:
    """Whether the user's idempotency key has a refund."""
    return Refund.objects.filter(key_owner=f"user:{user.pk}", idempotency_key=key).exists()


def is_by_transfer(order: Order, amount: Decimal) -> bool:
    """Whether a refund of the amount goes back by bank transfer, which staff make. Raises what `create` raises."""
    return _payment_for(order, amount).method == transfer.CODE


def resolve_failed(order_id: int) -> None:
    """Mark the order's failed refunds as resolved, since all of its money goes back by others."""
    _waiting(order_id).update(resolved_at=timezone.now())


def dispatch(refund_id: int) -> None:
    """Send the refund's task after the commit; the sweep finds it if the message is lost."""
    transaction.on_commit(lambda: dispatch_task(SEND, refund_id), robust=True)


@atomic_with_retry
def _create(request: RefundRequest) -> tuple[Refund, bool]:
    order = lifecycle.locked_order(request.order_id)
    if earlier := request.earlier():
        return earlier, True
    amount, lines = _amount_and_lines(order, request)
    for line in lines:
        line.restock = line.restock and order.status not in RESTOCKED
    _replace_failed(request, amount, lines)
    refund = Refund.objects.create(
        payment=_payment_for(order, amount),
        order=order,
        amount=amount,
        delivery=request.delivery,
        reason=request.reason,
        user=request.user,
        key_owner=request.key_owner,
        idempotency_key=request.key.value if request.key else None,
        fingerprint=request.key.fingerprint if request.key else "",
        due_at=timezone.now(),
    )
    for line in lines:
        line.refund = refund
    RefundLine.objects.bulk_create(lines)
    _restock(order, {line.line_id for line in lines if line.restock}, request.user)
    if refund.payment.method != transfer.CODE:  # else `sending.request` settles it: a worker would get in its way
        dispatch(refund.pk)
    return refund, False


def _amount_and_lines(order: Order, request: RefundRequest) -> tuple[Decimal, list[RefundLine]]:
    """The amount that is asked for, and the lines that are not saved yet. Raises InvalidValue or InvalidValues."""
    by_items = bool(request.items) or request.delivery
    if by_items == (request.amount is not None):
        detail = "Give an amount, or items, the delivery or both of these: not an amount with them, and not nothing."
        raise InvalidValue(None, "amount_or_items", detail)
    lines: list[RefundLine] = []
    if request.amount is not None:
        amount = request.amount.quantize(CENT)  # such as 1E+2, which a form may have
    else:
        lines = _lines(order, request.items)
        amount = sum((line.amount for line in lines), ZERO)
        if request.delivery:
            if not delivery_is_left(order):
                raise InvalidValue("delivery", "not_left", "The order has no delivery that is not refunded already.")
            amount += shares.delivery_total(order)
    if amount <= ZERO:
        raise InvalidValue("amount" if request.amount is not None else None, "min_value", "That would refund 0.00.")
    return amount, lines


def _lines(order: Order, items: Sequence[RefundItem]) -> list[RefundLine]:
    """The lines that pay the items back, each with its amount. Raises InvalidValues."""
    by_sku = {line.sku: line for line in order.items}
    refunded, lines, errors = _refunded_lines(order), [], []
    for number, item in enumerate(items):
        line = by_sku.get(item.sku)
        if line is None:
            errors.append(InvalidValue(f"items.{number}.sku", "unknown", f"The order has no {item.sku!r}."))
            continue
        rows = refunded.setdefault(line.pk, [])
        before = sum(row.quantity for row in rows)
        if before + item.quantity > line.quantity:
            detail = f"Of {item.sku!r}, {max(0, line.quantity - before)} of {line.quantity} are left to refund."
            errors.append(InvalidValue(f"items.{number}.quantity", "max_value", detail))
            continue
        amount = shares.share(
            shares.line_total(order, line),
            bought=line.quantity,
            before=before,
            pieces=item.quantity,
            refunded=sum((row.amount for row in rows), ZERO),
        )
        row = RefundLine(line=line, quantity=item.quantity, amount=amount, restock=item.restock)
        rows.append(row)
        lines.append(row)
    if errors:
        raise InvalidValues(errors)
    return lines


def _standing(order: Order) -> QuerySet[Refund]:
    return Refund.objects.filter(order=order).exclude(status=Status.FAILED)


def _refunded_lines(order: Order) -> dict[int, list[RefundLine]]:
    """By the id of a line, what refunds that have not failed have of it."""
    found: dict[int, list[RefundLine]] = {}
    for row in RefundLine.objects.filter(refund__in=_standing(order)).order_by("pk"):
        found.setdefault(row.line_id, []).append(row)
    return found


def _payment_for(order: Order, amount: Decimal) -> Payment:
    """The payment by which `amount` goes back. Raises order-state or refund-too-large."""
    balance = ledger.order_balance(order.pk)
    if not balance.captured:
        raise DomainError("order-state", "No payment of the order is recorded: there is nothing to refund.")
    if order.status == Order.Status.PENDING:
        raise DomainError("order-state", "The order waits for the rest of its money: cancel it, which refunds it.")
    if amount <= balance.refundable:
        for payment in Payment.objects.filter(order=order).order_by("pk"):
            if amount <= ledger.payment_balance(payment.pk).refundable:
                return payment
    most = refundable(order.pk)
    detail = f"At most {most} {order.currency} can be refunded, and {amount} are asked for."
    raise DomainError("refund-too-large", detail, refundable=str(most))


def _replace_failed(request: RefundRequest, amount: Decimal, lines: list[RefundLine]) -> None:
    """Mark the failed refund that this request sends again, and take its pieces in stock over.

    Raises order-state if the named one was resolved before.
    """
    failed = _failed_before(request, amount, lines)
    resolved = failed and _waiting(request.order_id).filter(pk=failed.pk).update(resolved_at=timezone.now())
    if failed is None or not resolved:
        if request.failed_id is not None:
            raise DomainError("order-state", "That refund was sent again already, or put aside.")
        return
    rows = list(failed.lines.all())
    before, now = _pieces(row for row in rows if row.restock), _pieces(line for line in lines if line.restock)
    for row in rows:
        if row.restock and now[row.line_id] >= before[row.line_id]:
            RefundLine.objects.filter(pk=row.pk).update(restock=False)
    for line in lines:  # fewer than are in stock by the failed one: its rows go on counting
        line.restock = line.restock and now[line.line_id] >= before[line.line_id]


def _failed_before(request: RefundRequest, amount: Decimal, lines: list[RefundLine]) -> Refund | None:
    """The failed refund that the request sends again: the named one, else the first that asked for the same."""
    waiting = _waiting(request.order_id)
    if request.failed_id is not None:
        return waiting.filter(pk=request.failed_id).first()
    same = waiting.filter(delivery=request.delivery).order_by("pk").prefetch_related("lines")
    has_parts = bool(lines) or request.delivery
    for refund in same if has_parts else same.filter(amount=amount):
        if _pieces(refund.lines.all()) == _pieces(lines):
            return refund
    return None


def _waiting(order_id: int) -> QuerySet[Refund]:
    """The order's failed refunds that nobody has sent again or put aside."""
    return Refund.objects.filter(order=order_id, status=Status.FAILED, resolved_at=None)


def _pieces(rows: Iterable[RefundLine]) -> Counter[int]:
    """How many pieces of each line the rows have."""
    pieces: Counter[int] = Counter()
    for row in rows:
        pieces[row.line_id] += row.quantity
    return pieces


def _restock(order: Order, line_ids: set[int], user: "User") -> None:
    """Put back in stock what the refunds say of these lines, less what is back already, and never more than was bought.

    The pieces of a failed refund stay in stock. While it waits, those of other refunds may be the same pieces, and add
    none; once it was put aside, they are others.
    """
    waiting = _waiting(order.pk).values("pk")
    rows = RefundLine.objects.filter(refund__order=order, restock=True).exclude(refund__in=waiting)
    wanted = _pieces(rows)
    pieces: Counter[int] = Counter()
    for line in OrderLine.objects.filter(pk__in=line_ids, product__isnull=False).order_by("pk"):
        back = min(wanted[line.pk], line.quantity)
        if back > line.restocked and line.product_id is not None:
            pieces[line.product_id] += back - line.restocked
            OrderLine.objects.filter(pk=line.pk).update(restocked=back)
    if pieces:
        order.save(update_fields={"updated_at"})  # what was sold of it has changed
    stock.restock(quantities=pieces, order_number=order.number, user=user)

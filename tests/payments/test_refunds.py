"""Refunds: what they amount to, what they put back in stock, and never more than what was paid."""

from decimal import Decimal
from typing import Any

import pytest

from orders import lifecycle
from orders.models import Order, OrderLine
from payments import refunds, sending
from payments.ledger import order_balance, payment_balance
from payments.models import Payment, Refund, RefundLine
from payments.refunds import RefundItem, RefundRequest
from productbackend.database.idempotency import IdempotencyKey
from productbackend.errors import DomainError
from products.inventory import ledger as stock_ledger
from products.models import Product
from tests import factories
from tests.orders.placed import place, place_with_everything
from tests.payments.books import Books
from tests.payments.paying import paid_order, pending_order, settle_by, started
from tests.stock import quantity

pytestmark = pytest.mark.django_db


def staff() -> Any:
    return factories.user("stella", is_staff=True, is_superuser=True)


def bought(books: Books, pieces: int, price: str, *, everything: bool = False) -> Order:
    """A paid order of pieces of the product `BOOT`."""
    factories.user("carla")
    product = factories.product("Boot", sku="BOOT", price=Decimal(price), quantity=100)
    number = (place_with_everything if everything else place)("carla", (product, pieces))
    order = Order.objects.get(number=number)
    payment = started(books, order)
    books.pay(payment.reference or "")
    settle_by(books, payment)
    return Order.objects.get(pk=order.pk)


def refund(order: Order, user: Any, **wanted: Any) -> Refund:
    made, _ = refunds.create(RefundRequest(order.pk, user, **wanted))
    return made


def code(order: Order, user: Any, **wanted: Any) -> tuple[str, Any]:
    with pytest.raises(DomainError) as raised:
        refund(order, user, **wanted)
    extra = raised.value.extra
    return raised.value.code, extra.get("refundable") or [
        (row["field"], row["code"]) for row in extra.get("errors", [])
    ]


@pytest.mark.parametrize("total", ["10.00", "0.03", "19.99", "0.10", "100.01"])
def test_the_pieces_of_a_line_sum_up_to_its_total(books: Books, total: str, settings: Any) -> None:
    """Whatever is refunded one by one; here the tax is added, and makes totals that no number of pieces divides."""
    settings.PRICES_INCLUDE_TAX = False
    order, user = bought(books, 7, str(Decimal(total)), everything=True), staff()
    [line] = order.items
    amounts = [refund(order, user, items=[RefundItem("BOOT", 1)]).amount for _ in range(7)]
    assert sum(amounts) == line.line_total + line.tax
    assert max(amounts) - min(amounts) <= Decimal("0.01")
    assert refunds.pieces_left(order) == {line.pk: 0}
    delivery = refund(order, user, delivery=True).amount
    assert sum(amounts) + delivery == order.total
    assert refunds.refundable(order.pk) == 0


def test_a_failed_refund_gives_its_pieces_back_to_the_cent(books: Books) -> None:
    order, user = bought(books, 3, "3.33"), staff()
    OrderLine.objects.update(unit_price=Decimal("3.33"))
    first = refund(order, user, items=[RefundItem("BOOT", 1)])
    refund(order, user, items=[RefundItem("BOOT", 1)])
    Refund.objects.filter(pk=first.pk).update(status="failed")
    refund(order, user, items=[RefundItem("BOOT", 1)])
    refund(order, user, items=[RefundItem("BOOT", 1)])
    standing = RefundLine.objects.exclude(refund__status="failed")
    assert sum(row.amount for row in standing) == order.items[0].line_total


def test_what_cannot_be_refunded_at_all(books: Books) -> None:
    order, user = bought(books, 2, "10.00"), staff()
    invalid = "validation-error"
    assert code(order, user) == (invalid, [(None, "amount_or_items")])
    assert code(order, user, amount=Decimal(1), delivery=True) == (invalid, [(None, "amount_or_items")])
    assert code(order, user, amount=Decimal(1), items=[RefundItem("BOOT", 1)]) == (invalid, [(None, "amount_or_items")])
    assert code(order, user, amount=Decimal("0.00")) == (invalid, [("amount", "min_value")])
    assert code(order, user, delivery=True) == (invalid, [("delivery", "not_left")])
    errors = [("items.0.sku", "unknown"), ("items.1.quantity", "max_value")]
    assert code(order, user, items=[RefundItem("SHOE", 1), RefundItem("BOOT", 3)]) == (invalid, errors)
    # Twice the same SKU counts together.
    twice = [RefundItem("BOOT", 1, restock=True), RefundItem("BOOT", 2)]
    assert code(order, user, items=twice) == (invalid, [("items.1.quantity", "max_value")])
    assert not Refund.objects.exists()


def test_the_delivery_is_refunded_once(books: Books) -> None:
    order, user = bought(books, 1, "10.00", everything=True), staff()
    assert refund(order, user, delivery=True).amount == Decimal("4.90")
    assert code(order, user, delivery=True, items=[RefundItem("BOOT", 1)])[1] == [("delivery", "not_left")]


def test_never_more_than_what_was_paid(books: Books) -> None:
    order, user = bought(books, 2, "10.00"), staff()
    refund(order, user, amount=Decimal("15.00"))
    assert code(order, user, amount=Decimal("5.01")) == ("refund-too-large", "5.00")
    assert code(order, user, items=[RefundItem("BOOT", 1)]) == ("refund-too-large", "5.00")
    refund(order, user, amount=Decimal("5.00"))
    assert code(order, user, amount=Decimal("0.01")) == ("refund-too-large", "0.00")


def test_what_was_charged_back_is_not_refundable(books: Books) -> None:
    order, user = bought(books, 2, "10.00"), staff()
    payment = Payment.objects.get()
    books.charge_back(payment.reference or "", Decimal("12.00"))
    settle_by(books, payment)
    assert code(order, user, amount=Decimal("8.01")) == ("refund-too-large", "8.00")


def test_an_unpaid_order_has_nothing_to_refund(books: Books, settings: Any) -> None:
    user = staff()
    assert code(pending_order(), user, amount=Decimal(1))[0] == "order-state"
    settings.PAYMENT_METHODS = []
    number = place("carla", (factories.product("Hat"), 1))
    assert code(Order.objects.get(number=number), user, amount=Decimal(1))[0] == "order-state"  # from before payments


def test_a_part_of_the_money_goes_back_by_a_cancellation(books: Books) -> None:
    order, user = pending_order(), staff()
    payment = started(books, order)
    books.pay(payment.reference or "", Decimal("5.00"))
    settle_by(books, payment)
    with pytest.raises(DomainError, match="waits for the rest of its money: cancel it"):
        refund(order, user, amount=Decimal("5.00"))


def test_an_amount_is_written_in_cents(books: Books) -> None:
    order, user = bought(books, 20, "10.00"), staff()
    assert str(refunds.preview(RefundRequest(order.pk, user, amount=Decimal("1E+2")))) == "100.00"
    assert str(refund(order, user, amount=Decimal("1E+2")).amount) == "100.00"


def test_a_key_is_one_refund(books: Books) -> None:
    order, user = bought(books, 2, "10.00"), staff()
    wanted = RefundRequest(order.pk, user, amount=Decimal(5), key=IdempotencyKey("key", "the request"))
    first, replayed = refunds.create(wanted)
    assert not replayed
    assert refunds.create(wanted) == (first, True)
    other = RefundRequest(order.pk, user, amount=Decimal(6), key=IdempotencyKey("key", "another"))
    with pytest.raises(DomainError, match="another request"):
        refunds.create(other)
    # A refused request does not use up its key.
    key = IdempotencyKey("second", "the request")
    assert code(order, user, amount=Decimal(100), key=key)[0] == "refund-too-large"
    refund(order, user, amount=Decimal(1), key=key)
    assert Refund.objects.count() == 2


def stock_of(product: Product) -> tuple[int, bool]:
    return quantity(product), all(row.is_correct for row in stock_ledger.balances())


def test_restocked_pieces_do_not_come_back_on_cancel(books: Books) -> None:
    order, user = bought(books, 3, "10.00"), staff()
    product = Product.objects.get(sku="BOOT")
    refund(order, user, items=[RefundItem("BOOT", 1, restock=True), RefundItem("BOOT", 1)])
    assert stock_of(product) == (98, True)
    lifecycle.cancel(order_id=order.pk, user=user)
    assert stock_of(product) == (100, True)
    refund_of_failed = Refund.objects.get(cause=f"cancelled:{Payment.objects.get().pk}")
    assert refund_of_failed.amount == Decimal("10.00")


def test_pieces_of_a_failed_refund_are_restocked_once(books: Books) -> None:
    order, user = bought(books, 3, "10.00"), staff()
    product = Product.objects.get(sku="BOOT")
    failed = refund(order, user, items=[RefundItem("BOOT", 1, restock=True)])
    Refund.objects.filter(pk=failed.pk).update(status="failed")
    refund(order, user, items=[RefundItem("BOOT", 1, restock=True)])
    assert stock_of(product) == (98, True)
    refund(order, user, items=[RefundItem("BOOT", 1, restock=True)])
    assert stock_of(product) == (99, True)


def fail(*failed: Refund) -> None:
    Refund.objects.filter(pk__in=[each.pk for each in failed]).update(status="failed")


def test_pieces_of_a_refund_that_was_put_aside_are_others(books: Books) -> None:
    """The customer got that money in another way: what comes back later is added, and never more than was bought."""
    order, user = bought(books, 3, "10.00"), staff()
    product = Product.objects.get(sku="BOOT")
    failed = refund(order, user, items=[RefundItem("BOOT", 2, restock=True)])
    fail(failed)
    sending.put_aside(refund_id=failed.pk, user=user)
    for expected in (100, 100):
        refund(order, user, items=[RefundItem("BOOT", 1, restock=True)])
        assert stock_of(product) == (expected, True)
    assert OrderLine.objects.get(order=order).restocked == 3


@pytest.mark.parametrize(("restock", "expected"), [(2, 99), (0, 98)])
def test_a_refund_that_is_sent_again_may_restock_other_pieces(books: Books, restock: int, expected: int) -> None:
    order, user = bought(books, 3, "10.00"), staff()
    product = Product.objects.get(sku="BOOT")
    fail(refund(order, user, items=[RefundItem("BOOT", 1, restock=True), RefundItem("BOOT", 1)]))
    assert stock_of(product) == (98, True)
    again = refund(order, user, items=[RefundItem("BOOT", 2, restock=bool(restock))])
    assert stock_of(product) == (expected, True)
    fail(again)
    refund(order, user, items=[RefundItem("BOOT", 2, restock=bool(restock))])
    assert stock_of(product) == (expected, True)
    refund(order, user, items=[RefundItem("BOOT", 1, restock=True)])
    assert stock_of(product) == (expected + 1, True)


def test_a_failed_refund_that_is_done_after_all_leaves_no_pieces(books: Books) -> None:
    order, user = bought(books, 3, "10.00"), staff()
    failed = refund(order, user, items=[RefundItem("BOOT", 2, restock=True)])
    fail(failed)
    refund(order, user, items=[RefundItem("BOOT", 2, restock=True)])
    Refund.objects.filter(pk=failed.pk).update(status="done")
    assert refunds.pieces_left(order) == {order.items[0].pk: 0}
    with pytest.raises(DomainError, match="0 of 3 are left"):
        refund(order, user, items=[RefundItem("BOOT", 1)])


def test_nothing_is_restocked_of_a_deleted_product_or_a_cancelled_order(books: Books) -> None:
    order, user = bought(books, 3, "10.00"), staff()
    product = Product.objects.get(sku="BOOT")
    Product.objects.filter(pk=product.pk).delete()
    assert refund(order, user, items=[RefundItem("BOOT", 1, restock=True)]).amount == Decimal("10.00")
    assert OrderLine.objects.get(order=order).restocked == 0

    cancelled, payment = paid_order(books)
    lifecycle.cancel(order_id=cancelled.pk, user=user)
    Refund.objects.filter(payment=payment).update(status="failed")
    in_stock = {row.pk: row.quantity for row in Product.objects.all()}
    refund(cancelled, user, items=[RefundItem(cancelled.items[0].sku, 1, restock=True)])
    assert {row.pk: row.quantity for row in Product.objects.all()} == in_stock


def test_a_cause_has_one_refund(books: Books) -> None:
    _, payment = paid_order(books)
    first = refunds.create_automatic(payment=payment, amount=Decimal(1), cause="late:1")
    assert first is not None
    assert first.due_at is not None
    assert refunds.create_automatic(payment=payment, amount=Decimal(2), cause="late:1") is None
    assert refunds.create_automatic(payment=payment, amount=Decimal("0.00"), cause="late:2") is None
    assert Refund.objects.count() == 1


def test_a_refund_that_is_sent_again_resolves_the_failed_one(books: Books) -> None:
    order, user = bought(books, 2, "10.00"), staff()
    failed = [refund(order, user, amount=Decimal("5.00")) for _ in range(2)]
    Refund.objects.update(status="failed")
    refund(order, user, amount=Decimal("4.00"))
    assert Refund.objects.filter(status="failed", resolved_at=None).count() == 2
    refund(order, user, amount=Decimal("5.00"))
    assert list(Refund.objects.filter(status="failed", resolved_at=None)) == [failed[1]]


def test_another_refund_of_the_same_amount_leaves_the_failed_one_waiting(books: Books) -> None:
    """Of other pieces, or of an amount: the customer has not got the money of the failed one."""
    factories.user("carla")
    two = [(factories.product(name, sku=name, price=Decimal(10)), 2) for name in ("BOOT", "SHOE")]
    order, user = Order.objects.get(number=place_with_everything("carla", *two)), staff()
    payment = started(books, order)
    books.pay(payment.reference or "")
    settle_by(books, payment)
    failed = refund(order, user, items=[RefundItem("BOOT", 1)])
    fail(failed)
    for other in (
        {"items": [RefundItem("SHOE", 1)]},
        {"amount": Decimal("10.00")},
        {"items": [RefundItem("BOOT", 1)], "delivery": True},
    ):
        fail(refund(order, user, **other))
        failed.refresh_from_db()
        assert failed.resolved_at is None, other
    refund(order, user, items=[RefundItem("BOOT", 1)])
    failed.refresh_from_db()
    assert failed.resolved_at is not None


def test_a_preview_is_what_will_be_refunded(books: Books) -> None:
    order, user = bought(books, 3, "3.33", everything=True), staff()
    wanted = RefundRequest(order.pk, user, items=[RefundItem("BOOT", 2)], delivery=True)
    shown = refunds.preview(wanted)
    assert not Refund.objects.exists()
    assert refunds.create(wanted)[0].amount == shown == Decimal("11.56")


def test_money_of_two_payments_goes_back_by_each(books: Books) -> None:
    """One refund goes back by one payment; `refundable` is what one refund can have."""
    order = pending_order()
    one, two = started(books, order), started(books, order, method="books")
    books.pay(one.reference or "", Decimal("9.90"))
    settle_by(books, one)
    books.pay(two.reference or "", Decimal("10.00"))
    settle_by(books, two)
    assert Order.objects.get(pk=order.pk).status == "paid"
    user = staff()
    assert code(order, user, amount=Decimal("10.01")) == ("refund-too-large", "10.00")
    assert refund(order, user, amount=Decimal("10.00")).payment == two
    assert refund(order, user, amount=Decimal("9.90")).payment == one
    for row in Refund.objects.all():
        sending.send(row.pk)
    assert payment_balance(one.pk).kept == payment_balance(two.pk).kept == order_balance(order.pk).kept == 0

"""manage.py check_payments and its job: a correct shop has no difference, and planted faults are found."""

import time
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from rest_framework.test import APIClient

from orders import lifecycle
from orders.models import Order, OrderChange, OrderLine
from payments import verifying
from payments.differences import differences
from payments.models import MoneyMovement, Payment, PaymentCheck, Refund, new_key
from payments.providers.base import RefundState
from payments.tasks import check_payments as run_job
from products.inventory import ledger as stock_ledger
from products.inventory import stock
from products.models import QUANTITY_MAX, Product, StockMovement
from tests import factories
from tests.observability.metrics.reading import parsed, value
from tests.payments.books import Books
from tests.payments.paying import paid_order, pending_order, settle_by
from tests.payments.shop import FIVE, Shop, every_path, send_refunds
from tests.stock import quantity

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("gauges_only")]

GOOD = "payments, money and stock agree with every status.\n"


def check_payments(*arguments: str) -> str:
    out = StringIO()
    call_command("check_payments", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def shop(books: Books, settings: Any) -> Shop:
    return every_path(books, settings)


def test_a_correct_shop_has_no_difference(shop: Shop, books: Books) -> None:
    statuses = dict(Order.objects.values_list("number", "status"))
    found = {name: statuses[order.number] for name, order in shop.orders.items()}
    assert found == {
        **dict.fromkeys(found, "paid"),
        "pending": "pending",
        "part": "pending",
        "expired": "expired",
        "too late": "expired",
        "cancelled": "cancelled",
    }
    assert MoneyMovement.objects.values("kind").distinct().count() == 5
    assert check_payments() == f"{len(found)} orders: {GOOD}"
    lifecycle.cancel(order_id=shop.orders["restocked"].pk, user=None)  # pieces come back once
    assert check_payments() == f"{len(found)} orders: {GOOD}"
    Product.objects.all().delete()
    assert check_payments() == f"{len(found)} orders: {GOOD}"


def test_refunds_that_are_not_done_explain_the_money(books: Books) -> None:
    order, payment = paid_order(books)
    lifecycle.cancel(order_id=order.pk, user=None)
    settle_by(books, payment)
    refund = Refund.objects.get()
    assert refund.status == Refund.Status.PENDING
    assert check_payments().endswith(GOOD)
    books.refund_state = RefundState.FAILED
    send_refunds(books)
    refund.refresh_from_db()
    assert refund.status == Refund.Status.FAILED
    assert check_payments().endswith(GOOD)


Fault = Callable[[Order, Payment], Any]


def movements(payment: Payment, kind: str) -> Any:
    return MoneyMovement.objects.filter(payment=payment, kind=kind)


def copied(row: MoneyMovement, **fields: Any) -> None:
    """Add a movement like the row."""
    row.pk = None
    for name, given in ({"reference": new_key()} | fields).items():
        setattr(row, name, given)
    row.save(force_insert=True)


# Name -> which order, what is changed in the database, and what is reported.
FAULTS: dict[str, tuple[str, Fault, str]] = {
    "paid without a capture": (
        "paid",
        lambda order, payment: movements(payment, "capture").delete(),
        "it is paid, and 0.00 of 19.90 are captured, payment {payment} is succeeded without a capture",
    ),
    "paid with a cent less": (
        "paid",
        lambda order, payment: movements(payment, "capture").update(amount=F("amount") - Decimal("0.01")),
        "it is paid, and 19.89 of 19.90 are captured",
    ),
    "paid though nobody paid": (
        "pending",
        lambda order, payment: (
            Order.objects.filter(pk=order.pk).update(status="paid", expires_at=None),
            Payment.objects.filter(pk=payment.pk).delete(),
        ),
        "it is paid, and 0.00 of 19.90 are captured",
    ),
    "pending with all its money": (
        "paid",
        lambda order, payment: Order.objects.filter(pk=order.pk).update(status="pending", expires_at=timezone.now()),
        "it is pending, and 19.90 of 19.90 are captured",
    ),
    "pending for ever": (
        "pending",
        lambda order, payment: Order.objects.filter(pk=order.pk).update(expires_at=None),
        "it is pending and never expires",
    ),
    "cancelled with its money": (
        "cancelled",
        lambda order, payment: (
            movements(payment, "refund").delete(),
            Refund.objects.filter(order=order).delete(),
            Order.objects.filter(pk=order.pk).update(refunded=0),
        ),
        "it is cancelled, and keeps 19.90",
    ),
    "expired with a part of its money": (
        "too late",
        lambda order, payment: copied(movements(payment, "capture").get(), amount=FIVE),
        "it is expired, and keeps 5.00",
    ),
    "paid twice and not refunded": (
        "paid",
        lambda order, payment: copied(movements(payment, "capture").get()),
        "39.80 are kept of a total of 19.90",
    ),
    "the order's sum of refunds": (
        "refunded",
        lambda order, payment: Order.objects.filter(pk=order.pk).update(refunded=Decimal("5.01")),
        "refunded 5.01 instead of 5.00",
    ),
    "a refund that is done without money": (
        "paid",
        lambda order, payment: Refund.objects.create(order=order, payment=payment, amount=FIVE, status="done"),
        "of 5.00 is done, and 0.00 are in the ledger",
    ),
    "a refund that failed with money": (
        "refunded",
        lambda order, payment: Refund.objects.filter(order=order).update(status="failed"),
        "refund {refund} of 5.00 is failed, and 5.00 are in the ledger",
    ),
    "a refund of another amount": (
        "refunded",
        lambda order, payment: Refund.objects.filter(order=order).update(amount=Decimal("4.99")),
        "refund {refund} of 4.99 is done, and 5.00 are in the ledger",
    ),
    "more refunded than captured": (
        "refunded",
        lambda order, payment: (
            movements(payment, "refund").update(amount=20),
            Refund.objects.filter(order=order).update(amount=20),
            Order.objects.filter(pk=order.pk).update(refunded=20),
        ),
        "payment {payment} has 20.00 refunded of 19.90 captured",
    ),
    "a movement in another currency": (
        "paid",
        lambda order, payment: movements(payment, "capture").update(currency="USD"),
        "movement {capture} is in USD",
    ),
    "a payment in another currency": (
        "paid",
        lambda order, payment: Payment.objects.filter(pk=payment.pk).update(currency="USD"),
        "payment {payment} is in USD",
    ),
    "a payment that is pending and not open": (
        "pending",
        lambda order, payment: Payment.objects.filter(pk=payment.pk).update(open_key=None),
        "payment {payment} is pending, and its open key is unset",
    ),
    "a payment that is over and open": (
        "paid",
        lambda order, payment: Payment.objects.filter(pk=payment.pk).update(open_key="7:books"),
        "payment {payment} is succeeded, and its open key is 7:books",
    ),
    "a failed payment with money": (
        "paid",
        lambda order, payment: Payment.objects.filter(pk=payment.pk).update(status="failed"),
        "payment {payment} is failed, and 19.90 of 19.90 are captured",
    ),
    "a refund without its row": (
        "refunded",
        lambda order, payment: (movements(payment, "refund").update(refund=None), order.refunds.all().delete()),
        "movement {moved} is a refund with the refund None",
    ),
    "a chargeback that came back twice": (
        "won",
        lambda order, payment: copied(movements(payment, "chargeback_reversal").get()),
        "39.80 are kept of a total of 19.90, payment {payment} has more reversals than chargebacks",
    ),
    "a negative amount": (
        "part",
        lambda order, payment: movements(payment, "capture").update(amount=-5),
        "movement {capture} has the amount -5.00",
    ),
    "a movement of another provider": (
        "paid",
        lambda order, payment: movements(payment, "capture").update(provider="test"),
        "movement {capture} is of test, its payment of books",
    ),
    "stock that did not come back": (
        "expired",
        lambda order, payment: StockMovement.objects.filter(order_number=order.number, delta=1).delete(),
        "it is expired, and moved the stock of product {product} by -1, not +0",
    ),
    "stock that came back though it is held": (
        "paid",
        lambda order, payment: StockMovement.objects.create(
            product_id=order.items[0].product_id, delta=1, reason="restock", order_number=order.number
        ),
        "it is paid, and moved the stock of product {product} by +0, not -1",
    ),
    "stock that was not taken again": (
        "late",
        lambda order, payment: StockMovement.objects.filter(
            pk=StockMovement.objects.filter(order_number=order.number, delta=-1).values_list("pk", flat=True)[0]
        ).delete(),
        "it is paid, and moved the stock of product {product} by +0, not -1",
    ),
    "a refund that came back, without its money": (
        "came back",
        lambda order, payment: movements(payment, "refund_reversal").delete(),
        "is failed, and 5.00 are in the ledger",
    ),
    "the reversal of a refund that is done": (
        "came back",
        lambda order, payment: Refund.objects.filter(order=order).update(status="done"),
        "of 5.00 is done, and 0.00 are in the ledger",
    ),
    "more put back than bought": (
        "restocked",
        lambda order, payment: OrderLine.objects.filter(order=order).update(restocked=2),
        "2 of 1 pieces of SHOE were put back",
    ),
}


def found_by_command(orders: int) -> list[str]:
    """What check_payments lists, of which exactly one order is wrong."""
    out = StringIO()
    with pytest.raises(CommandError, match=f"1 of {orders} orders differ"):
        call_command("check_payments", stdout=out)
    return out.getvalue().splitlines()


@pytest.mark.thorough  # a shop for each fault
def test_each_planted_fault_is_found_and_no_other(shop: Shop) -> None:
    """One shop for all of them, since it takes seconds: each fault is rolled back."""
    assert check_payments().endswith(GOOD)
    for name, plant, report in FAULTS.values():
        order, payment = shop.orders[name], shop.payments.get(name)
        rows = {kind: payment and movements(payment, kind).first() for kind in ("capture", "refund")}
        known = {"payment": payment, "capture": rows["capture"], "moved": rows["refund"]}
        keys = {key: row and row.pk for key, row in known.items()}
        with transaction.atomic():
            plant(order, payment)  # type: ignore[arg-type]
            refund, product = Refund.objects.filter(order=order).first(), order.items[0].product_id
            text = report.format(**keys, refund=refund and refund.pk, product=product)
            [line] = found_by_command(len(shop.orders))
            assert line.startswith(f"order {order.number}: ")
            assert text in line
            [shown] = differences()
            assert (shown.what, shown.order) == (line, order)
            transaction.set_rollback(True)
    assert check_payments().endswith(GOOD)


def test_a_movement_between_two_orders_is_found_at_both(shop: Shop) -> None:
    movement = movements(shop.payments["paid"], "capture")
    movement.update(order=shop.orders["refunded"])
    with pytest.raises(CommandError, match="2 of "):
        check_payments()


def test_the_job_checks_a_slice_at_a_time_and_starts_over(
    books: Books, api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(name: str) -> float:
        return value(parsed(api.get("/metrics").content.decode()), f"productbackend_payment_{name}")

    monkeypatch.setattr(verifying, "SLICE", 2)
    product = factories.product()
    orders = [pending_order(product) for _ in range(5)]
    Order.objects.filter(pk=orders[0].pk).update(expires_at=None)
    assert read("check_timestamp_seconds") == 0
    run_job()
    assert (read("drift_orders"), read("check_timestamp_seconds")) == (1, 0)
    run_job()
    run_job()
    check = PaymentCheck.objects.get()
    assert (check.checked, check.wrong, check.checked_so_far) == (5, 1, 0)
    assert read("check_timestamp_seconds") == pytest.approx(time.time(), abs=20)
    Order.objects.filter(pk=orders[0].pk).update(expires_at=timezone.now() + timedelta(minutes=5))
    for _ in range(3):
        run_job()
    assert read("drift_orders") == 0
    assert differences() == []


def test_orders_are_read_in_batches(
    books: Books, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    monkeypatch.setattr(verifying, "BATCH", 2)
    product = factories.product()
    for _ in range(4):
        pending_order(product)
    with django_assert_num_queries(2 * 7 + 1):  # orders, five prefetches and the stock; the last batch is empty
        assert len(list(verifying.comparisons())) == 4


def test_pieces_beyond_the_largest_quantity_are_no_difference_of_their_order(books: Books) -> None:
    product = factories.product(quantity=5)
    order, _ = paid_order(books, product)
    stock.set_quantity(product_id=product.pk, quantity=QUANTITY_MAX, user=None)
    lifecycle.cancel(order_id=order.pk, user=None)
    assert quantity(product) == QUANTITY_MAX
    assert check_payments().endswith(GOOD)
    assert all(balance.is_correct for balance in stock_ledger.balances())
    StockMovement.objects.filter(order_number=order.number, reason="restock").update(delta=0)
    with pytest.raises(CommandError, match="1 of 1 orders differ"):
        check_payments()


def test_an_order_that_is_paid_while_it_is_read_is_no_difference(books: Books) -> None:
    """What was read before and after a payment contradicts itself; read again under the lock, it does not."""
    order, _ = paid_order(books)
    torn = verifying.Comparison(order.pk, order.number, ["it is pending, and 19.90 of 19.90 are captured"])
    assert verifying.again(torn).is_correct
    Order.objects.filter(pk=order.pk).update(status="pending")
    assert not verifying.again(torn).is_correct


def test_an_order_from_before_payments_needs_none(books: Books) -> None:
    order = pending_order()
    Order.objects.filter(pk=order.pk).update(status="paid", expires_at=None)
    with pytest.raises(CommandError):
        check_payments()
    OrderChange.objects.filter(order=order).update(status="paid")
    assert check_payments() == f"1 orders: {GOOD}"

"""Marking as paid: once, the whole total, and late money as late money."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from orders import lifecycle
from orders.mails import PAID
from orders.models import Order, OrderChange
from outbox.models import Mail
from payments.marking import mark_paid
from payments.models import MoneyMovement, Payment, Refund
from productbackend.errors import DomainError
from products.inventory import stock
from tests import factories
from tests.payments.books import Books
from tests.payments.paying import TOTAL, pending_order, started
from tests.stock import quantity

pytestmark = pytest.mark.django_db

Status = Order.Status


@pytest.fixture
def user(db: Any) -> Any:
    return factories.user("stella", is_staff=True, is_superuser=True)


def mark(order: Order, user: Any, amount: Decimal = TOTAL) -> Order:
    return mark_paid(order_id=order.pk, amount=amount, reference="Statement 12", user=user)


def refused(order: Order, user: Any, amount: Decimal = TOTAL) -> str:
    with pytest.raises(DomainError) as raised:
        mark(order, user, amount)
    return raised.value.code


def expired(order: Order) -> Order:
    with transaction.atomic():
        lifecycle.expire(lifecycle.locked_order(order.pk))
    return Order.objects.get(pk=order.pk)


def test_a_pending_order_is_paid_once(books: Books, user: Any) -> None:
    order = pending_order()
    paid = mark(order, user)
    assert (paid.status, paid.expires_at, paid.paid_at is None) == (Status.PAID, None, False)
    payment = Payment.objects.get()
    assert (payment.method, payment.status, payment.note, payment.user) == (
        "transfer", "succeeded", "Statement 12", user,
    )  # fmt: skip
    movement = MoneyMovement.objects.get()
    assert (movement.kind, movement.amount, movement.user, movement.payment) == ("capture", TOTAL, user, payment)
    assert OrderChange.objects.filter(order=order, status="paid", user=user).count() == 1
    assert refused(order, user) == "order-state"
    assert MoneyMovement.objects.count() == Mail.objects.filter(kind=PAID).count() == 1


@pytest.mark.parametrize("amount", ["19.89", "19.91", "0.00", "39.80"])
def test_only_the_whole_total(books: Books, user: Any, amount: str) -> None:
    order = pending_order()
    assert refused(order, user, Decimal(amount)) == "validation-error"
    assert Order.objects.get().status == Status.PENDING
    assert not Payment.objects.exists()


def test_open_attempts_are_cancelled(books: Books, user: Any) -> None:
    order = pending_order()
    attempt = started(books, order)
    mark(order, user)
    attempt.refresh_from_db()
    assert attempt.cancel_requested_at is not None
    assert attempt.due_at is not None


def test_the_customers_own_bank_transfer_is_the_one_that_is_paid(books: Books, user: Any) -> None:
    order = pending_order()
    begun = Payment.objects.create(
        order=order, method="transfer", amount=TOTAL, currency="EUR", open_key=f"{order.pk}:transfer"
    )
    mark(order, user)
    begun.refresh_from_db()
    assert (Payment.objects.count(), begun.status, begun.reference, begun.open_key) == (1, "succeeded", begun.key, None)


def test_late_money_takes_the_stock_again(books: Books, user: Any) -> None:
    product = factories.product(quantity=1)
    order = expired(pending_order(product))
    assert quantity(product) == 1
    assert mark(order, user).status == Status.PAID
    assert quantity(product) == 0
    assert refused(order, user) == "order-state"


def test_late_money_for_goods_that_are_gone_waits_to_be_sent_back(books: Books, user: Any) -> None:
    product = factories.product(quantity=1)
    order = expired(pending_order(product))
    with transaction.atomic():
        stock.sell(wanted=[stock.StockRequest(product.pk, "", 1)], order_number="X", user=None)
    assert mark(order, user).status == Status.EXPIRED
    refund = Refund.objects.get()
    assert (refund.amount, refund.status, refund.due_at) == (TOTAL, "pending", None)
    assert refused(order, user) == "order-state"  # once
    assert MoneyMovement.objects.count() == 1


@pytest.mark.parametrize("status", [Status.PAID, Status.FULFILLED, Status.CANCELLED])
def test_other_orders_wait_for_no_money(books: Books, user: Any, status: str) -> None:
    order = pending_order()
    Order.objects.update(status=status)
    assert refused(order, user) == "order-state"


def test_an_unknown_order(user: Any) -> None:
    with pytest.raises(DomainError, match="no such order"):
        mark_paid(order_id=1, amount=TOTAL, reference="", user=user)

"""What an order's money means: by the sums of the ledger, whatever came first."""

from decimal import Decimal

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from orders import lifecycle
from orders.models import Order
from payments import ledger
from payments.deciding import decide
from payments.models import MoneyMovement, Payment, Refund, new_key
from payments.providers.base import Money
from tests import factories
from tests.examples import examples
from tests.payments.books import Books
from tests.payments.paying import TOTAL, pending_order
from tests.stock import quantity

pytestmark = pytest.mark.django_db

Kind = MoneyMovement.Kind


def attempt(order: Order) -> Payment:
    return Payment.objects.create(
        order=order, method="books", reference=new_key(), amount=order.total, currency=order.currency
    )


def move(payment: Payment, kind: Kind, amount: Decimal) -> None:
    ledger.add(payment=payment, kind=kind, money=Money(new_key(), amount, timezone.now()))


def decided(order: Order) -> str:
    with transaction.atomic():
        locked = lifecycle.locked_order(order.pk)
        decide(locked)
    return Order.objects.values_list("status", flat=True).get(pk=order.pk)


def refunds() -> list[tuple[str | None, Decimal]]:
    return list(Refund.objects.order_by("pk").values_list("cause", "amount"))


def test_two_halves_of_the_money_pay_the_order(books: Books) -> None:
    order = pending_order()
    first, second = attempt(order), attempt(order)
    move(first, Kind.CAPTURE, Decimal("9.90"))
    assert decided(order) == "pending"
    move(second, Kind.CAPTURE, Decimal("10.00"))
    assert (decided(order), decided(order), refunds()) == ("paid", "paid", [])


@pytest.mark.parametrize("again", [True, False])
def test_money_after_a_failed_refund_goes_back_too(books: Books, again: bool) -> None:
    """Staff send the failed one again, or put it aside: it is not made again by itself, and other money is another."""
    order = pending_order()
    payment = attempt(order)
    lifecycle.cancel(order_id=order.pk, user=None)
    move(payment, Kind.CAPTURE, TOTAL)
    decided(order)
    failed = Refund.objects.get()
    Refund.objects.update(status="failed", due_at=None, resolved_at=timezone.now())
    if again:
        sent = Refund.objects.create(payment=payment, order=order, amount=TOTAL, status="done")
        money = Money(new_key(), TOTAL, timezone.now())
        ledger.add(payment=payment, kind=Kind.REFUND, money=money, refund=sent)
    assert decided(order) == "cancelled"
    assert Refund.objects.filter(cause__isnull=False).get() == failed
    move(payment, Kind.CAPTURE, Decimal("7.00"))
    for _ in range(2):
        decided(order)
    assert list(Refund.objects.filter(cause__isnull=False).values_list("amount", flat=True)) == [TOTAL, Decimal("7.00")]


def test_what_comes_first_pays_and_the_rest_goes_back(books: Books) -> None:
    order = pending_order()
    first, second, third = attempt(order), attempt(order), attempt(order)
    move(third, Kind.CAPTURE, Decimal("9.90"))
    move(first, Kind.CAPTURE, TOTAL)
    move(second, Kind.CAPTURE, TOTAL)
    assert (decided(order), decided(order)) == ("paid", "paid")
    assert sorted(refunds()) == [(f"excess:{first.pk}", Decimal("9.90")), (f"second:{second.pk}", TOTAL)]


def test_what_was_refunded_already_does_not_go_back_again(books: Books) -> None:
    order = pending_order()
    first, second = attempt(order), attempt(order)
    move(first, Kind.CAPTURE, TOTAL)
    move(second, Kind.CAPTURE, TOTAL)
    move(second, Kind.REFUND, Decimal("15.00"))  # by staff, at the provider's own site
    assert decided(order) == "paid"
    assert refunds() == [(f"second:{second.pk}", TOTAL - Decimal("15.00"))]


def test_a_pending_refund_is_not_made_twice(books: Books) -> None:
    order = pending_order()
    payment = attempt(order)
    move(payment, Kind.CAPTURE, TOTAL)
    assert decided(order) == "paid"
    Refund.objects.create(payment=payment, order=order, amount=Decimal("5.00"))  # by staff
    lifecycle.cancel(order_id=order.pk, user=None)
    assert decided(order) == "cancelled"
    assert refunds()[1:] == [(f"cancelled:{payment.pk}", TOTAL - Decimal("5.00"))]


def test_money_that_was_charged_back_pays_no_expired_order(books: Books) -> None:
    product = factories.product(quantity=1)
    order = pending_order(product)
    payment = attempt(order)
    with transaction.atomic():
        lifecycle.expire(lifecycle.locked_order(order.pk))
    move(payment, Kind.CAPTURE, TOTAL)
    move(payment, Kind.CHARGEBACK, TOTAL)
    assert (decided(order), refunds(), quantity(product)) == ("expired", [], 1)


def test_a_paid_order_stays_paid_after_refund_and_chargeback(books: Books) -> None:
    order = pending_order()
    payment = attempt(order)
    move(payment, Kind.CAPTURE, TOTAL)
    assert decided(order) == "paid"
    move(payment, Kind.REFUND, Decimal("9.90"))
    move(payment, Kind.CHARGEBACK, Decimal("10.00"))
    assert (decided(order), refunds()) == ("paid", [])


AMOUNTS = st.sampled_from([Decimal("5.00"), Decimal("9.90"), Decimal("10.00"), TOTAL])
STEPS = st.lists(st.tuples(st.sampled_from(["money", "expire", "cancel"]), st.integers(0, 2), AMOUNTS), max_size=8)


@pytest.mark.thorough  # random courses
@given(steps=STEPS)
@hypothesis_settings(
    max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_money_is_kept_without_an_order(books: Books, steps: list[tuple[str, int, Decimal]]) -> None:
    """After any course an order that holds its goods has its total and no more; another one has nothing."""
    with transaction.atomic():
        product = factories.product(f"Shoe {new_key()}", quantity=2)
        order = pending_order(product)
        payments = [attempt(order) for _ in range(3)]
        for step, which, amount in steps:
            locked = lifecycle.locked_order(order.pk)
            if step == "money":
                move(payments[which], Kind.CAPTURE, amount)
            elif step == "expire" and locked.status == "pending":
                lifecycle.expire(locked)
            elif step == "cancel" and locked.status not in ("expired", "fulfilled"):
                lifecycle.cancel(order_id=order.pk, user=None)
            status = decided(order)
            before = refunds()
            assert (decided(order), refunds()) == (status, before)
        status = decided(order)
        kept = ledger.order_balance(order.pk).refundable
        expected = {"paid": [TOTAL], "cancelled": [Decimal(0)], "expired": [Decimal(0)]}
        assert kept in expected.get(status, [kept])
        assert status != "pending" or kept < TOTAL
        assert quantity(product) == (1 if status in ("paid", "pending") else 2)
        transaction.set_rollback(True)

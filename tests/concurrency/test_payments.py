"""Webhooks, the customer's GET and sweeps at once: one capture, one sale, one mail, whoever is first."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import chain
from typing import Any

import pytest
from django.db import connection, models, transaction
from django.utils import timezone
from rest_framework.test import APIClient

from orders import lifecycle
from orders.customers import Customer
from orders.mails import EXPIRED, PAID
from orders.models import Order, OrderChange
from orders.placing import new_number
from outbox.models import Mail
from payments import asking, events, expiry, ledger, verifying
from payments.models import MoneyMovement, Payment, ProviderEvent, Refund
from payments.settling import settle
from payments.starting import Start, start
from products.inventory import ledger as stock_ledger
from products.models import Product, StockMovement
from tests import factories
from tests.concurrency.racing import paused
from tests.concurrently import concurrent_rounds, run_concurrently
from tests.orders.placed import cart_ids
from tests.payments.books import Books
from tests.payments.conftest import books as books
from tests.payments.paying import pending_order, started
from tests.signing_in import without_token

Status = Order.Status


def unlocked_order(order_id: int) -> Order:
    """`lifecycle.locked_order` without the lock."""
    return Order.objects.get(pk=order_id)


def paid_at_the_books(books: Books, number: int = 0, product: Product | None = None) -> tuple[Order, Payment]:
    order = pending_order(product or factories.product(f"Shoe {number}"), username=f"buyer{number}")
    payment = started(books, order)
    books.pay(payment.reference or "")
    return order, payment


def copies(row: models.Model, count: int, **changes: Callable[[int], Any]) -> None:
    """Write rows like this one, with other values in some columns; in one statement, which costs less than `count`."""
    model = type(row)
    [values] = model._default_manager.filter(pk=row.pk).values()
    del values["id"]
    others = ({**values, **{name: value(number) for name, value in changes.items()}} for number in range(count))
    model._default_manager.bulk_create([model(**other) for other in others])


def waiting(books: Books, count: int) -> list[tuple[Order, Payment]]:
    """Orders of one customer whose money the books have, and the shop does not know of."""
    first = pending_order(factories.product(quantity=1))
    copies(first, count - 1, number=lambda _: new_number(), cart_id=lambda _: next(cart_ids))
    orders = list(Order.objects.order_by("pk"))
    for row in (first.lines.get(), first.changes.get()):
        copies(row, count - 1, order_id=lambda number: orders[number + 1].pk)
    sale = StockMovement.objects.get(order_number=first.number)
    copies(sale, count - 1, order_number=lambda number: orders[number + 1].number)
    with transaction.atomic():
        payments = [started(books, order) for order in orders]
    for payment in payments:
        books.pay(payment.reference or "")
    return list(zip(orders, payments, strict=True))


def hint(books: Books, payment: Payment) -> int:
    """Send the event that the payment has changed, as its provider does, and do what the worker does; the status."""
    body, headers = books.event(payment.reference or "", f"evt of {payment.pk}")
    api = APIClient(raise_request_exception=False)
    answer = api.generic("POST", "/payment-events/books/", body.decode(), "application/json", headers=headers)
    stored = ProviderEvent.objects.filter(event_id=f"evt of {payment.pk}")
    events.process(stored.values_list("pk", flat=True)[0])
    return int(answer.status_code)


def read(client: APIClient, order: Order, payment: Payment) -> int:
    return int(client.get(f"/orders/{order.number}/payments/{payment.pk}/").status_code)


def compare(books: Books, payment: Payment) -> str:
    """What the comparison of all books does, which waits for nobody who asks; the payment's status."""
    return settle(payment_id=payment.pk, snapshot=books.rows[payment.reference or ""]).status


def settled_concurrently(books: Books, rounds: int) -> Counter[Any]:
    """The outcomes of a webhook, the customer's GET and the comparison of all books at once, for each of the orders."""
    outcomes: Counter[Any] = Counter()
    rows = waiting(books, rounds)
    client = without_token(rows[0][0].user)
    with concurrent_rounds(3) as run:
        for order, payment in rows:
            event, get = partial(hint, books, payment), partial(read, client, order, payment)
            outcomes.update(str(outcome) for outcome in run([event, get, partial(compare, books, payment)]))
    return outcomes


@pytest.mark.parametrize("rounds", [200, pytest.param(1_000, marks=pytest.mark.release)])
def test_webhook_and_get_concurrently(books: Books, rounds: int) -> None:
    """Of each order: no 409, no 500, one capture."""
    outcomes = settled_concurrently(books, rounds)
    assert outcomes == {"200": 2 * rounds, "succeeded": rounds}
    assert Counter(Order.objects.values_list("status", flat=True)) == {"paid": rounds}
    assert OrderChange.objects.filter(status="paid").count() == rounds
    assert (MoneyMovement.objects.count(), ProviderEvent.objects.count()) == (rounds, rounds)
    assert Mail.objects.filter(kind=PAID).count() == rounds
    assert not Refund.objects.exists()
    assert [str(comparison) for comparison in verifying.comparisons() if not comparison.is_correct] == []


def test_control_without_the_lock_of_the_order_it_is_paid_twice(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "locked_order", paused(unlocked_order))
    outcomes = settled_concurrently(books, rounds=20)
    changes = Counter(OrderChange.objects.filter(status="paid").values_list("order", flat=True))
    assert set(outcomes) - {"200", "succeeded"} or max(changes.values()) > 1


def sent_100_times(books: Books) -> tuple[Order, Counter[int]]:
    """An order whose webhook came 100 times, ten at once, and the answers."""
    [(order, payment)] = waiting(books, 1)
    with concurrent_rounds(10) as run:
        answers = [run([partial(hint, books, payment)] * 10) for _ in range(10)]
    return order, Counter(chain(*answers))


def test_the_same_webhook_100_times(books: Books) -> None:
    order, answers = sent_100_times(books)
    assert answers == {200: 100}
    assert Order.objects.get(pk=order.pk).status == "paid"
    assert (ProviderEvent.objects.count(), MoneyMovement.objects.count()) == (1, 1)
    assert Mail.objects.filter(kind=PAID).count() == 1
    assert books.calls.count("fetch") == 1


def test_control_without_the_unique_event_it_is_not_one(books: Books) -> None:
    with without(ProviderEvent, "provider_event_once"):
        _, answers = sent_100_times(books)
        assert ProviderEvent.objects.count() > 1
        assert set(answers) != {200}


@contextmanager
def without(model: type[MoneyMovement] | type[ProviderEvent], name: str) -> Iterator[None]:
    """The table without its constraint of this name, and empty afterwards."""
    [constraint] = [row for row in model._meta.constraints if row.name == name]
    with connection.schema_editor() as editor:
        editor.remove_constraint(model, constraint)
    try:
        yield
    finally:
        model.objects.all().delete()
        with connection.schema_editor() as editor:
            editor.add_constraint(model, constraint)


def add_20_times(books: Books) -> list[Any]:
    """The outcomes of adding one capture from 20 connections, without any lock."""
    _, payment = paid_at_the_books(books)
    [money] = books.rows[payment.reference or ""].captures

    def add() -> bool:
        try:
            return ledger.add(payment=payment, kind=MoneyMovement.Kind.CAPTURE, money=money)
        except MoneyMovement.MultipleObjectsReturned:  # only without the unique reference
            return False

    return run_concurrently([add] * 20)


def test_the_unique_reference_alone_allows_one_capture(books: Books) -> None:
    assert Counter(add_20_times(books)) == {True: 1, False: 19}
    assert MoneyMovement.objects.count() == 1


def test_control_without_the_unique_reference_one_capture_is_counted_twice(books: Books) -> None:
    with without(MoneyMovement, "movement_reference_once"):
        add_20_times(books)
        assert MoneyMovement.objects.count() > 1


def test_20_starts_of_one_method_are_one_attempt(books: Books) -> None:
    order = pending_order()
    assert order.user is not None
    request = Start(order_id=order.pk, method="books", customer=Customer(user=order.user))
    begun = run_concurrently([partial(start, request)] * 20)
    assert Counter(attempted.created for attempted in begun)[True] >= 1
    assert {attempted.payment.reference for attempted in begun} == {"pay_1"}
    assert (Payment.objects.count(), len(books.rows), books.calls) == (1, 1, ["start"])


def overdue(*orders: Order) -> None:
    Order.objects.filter(pk__in=[order.pk for order in orders]).update(expires_at=timezone.now())


def test_4_sweeps_expire_each_order_once(books: Books) -> None:
    orders = [pending_order(factories.product(f"Shoe {number}"), f"buyer{number}") for number in range(10)]
    for order in orders[:5]:
        started(books, order)
    overdue(*orders)
    run_concurrently([expiry.sweep] * 4)
    expiry.sweep()
    assert Counter(Order.objects.values_list("status", flat=True)) == {"expired": 10}
    assert StockMovement.objects.filter(reason="restock").count() == 10
    assert Mail.objects.filter(kind=EXPIRED).count() == 10
    assert all(balance.is_correct for balance in stock_ledger.balances())


def test_money_and_expiry_at_once(books: Books) -> None:
    """Whoever is first, the order has its money and its goods, or neither: late money takes the last piece again."""
    products = [factories.product(f"Shoe {number}", quantity=1) for number in range(12)]
    paid = [paid_at_the_books(books, number, product) for number, product in enumerate(products)]
    overdue(*(order for order, _ in paid))
    for order, payment in paid:
        ask = partial(asking.ask_now, payment.pk)
        outcomes = run_concurrently([partial(expiry.expire, order.pk), ask, partial(expiry.expire, order.pk), ask])
        assert [outcome for outcome in outcomes if isinstance(outcome, Exception)] == []
        asking.ask_now(payment.pk)
    assert Counter(Order.objects.values_list("status", flat=True)) == {"paid": 12}
    assert not Refund.objects.exists()
    assert set(Product.objects.values_list("quantity", flat=True)) == {0}
    assert all(balance.is_correct for balance in stock_ledger.balances())


def test_money_and_a_cancellation_at_once(books: Books) -> None:
    """The money of a cancelled order goes back, once, whoever was first."""
    for number in range(12):
        order, payment = paid_at_the_books(books, number)
        ask = partial(asking.ask_now, payment.pk)
        run_concurrently([partial(lifecycle.cancel, order_id=order.pk, user=None), ask, ask])
        asking.ask_now(payment.pk)
        assert ledger.payment_balance(payment.pk).refundable == 0
    assert Counter(Order.objects.values_list("status", flat=True)) == {Status.CANCELLED: 12}
    assert Refund.objects.count() == 12

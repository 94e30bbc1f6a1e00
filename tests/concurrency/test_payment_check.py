"""The check of payments while orders are paid: what it has read in the middle of a payment is no difference."""

from functools import partial
from typing import Any

import pytest
from django.db import connection

from orders.models import Order
from payments import settling, verifying
from payments.verifying import Comparison
from tests.concurrency.racing import Meanwhile
from tests.payments.books import Books
from tests.payments.conftest import books as books
from tests.payments.paying import pending_order, started


def compared_while_paid(books: Books) -> list[Comparison]:
    """What the check finds about an order that is paid after the order was read, and before its movements are."""
    payment = started(books, pending_order())
    snapshot = books.pay(payment.reference or "")
    meanwhile = Meanwhile(partial(settling.settle, payment_id=payment.pk, snapshot=snapshot))

    def wrapper(execute: Any, sql: str, *rest: Any) -> Any:
        read = meanwhile.after(execute) if sql.startswith("SELECT `orders_order`") else execute
        return read(sql, *rest)

    with connection.execute_wrapper(wrapper):
        found = list(verifying.comparisons())
    assert meanwhile.ended_meanwhile
    assert Order.objects.get().status == Order.Status.PAID
    return found


def test_an_order_that_is_paid_meanwhile_is_correct(books: Books) -> None:
    assert [row.differences for row in compared_while_paid(books)] == [[]]


def test_control_without_the_second_look_it_differs(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verifying, "again", lambda found: found)
    [row] = compared_while_paid(books)
    assert "it is pending, and 19.90 of 19.90 are captured" in row.differences

"""Differences for staff: stored once, each with what to do, and removed as they are resolved."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from django.test import Client

from payments import differences
from payments.differences import Kind
from tests import factories
from tests.payments.books import Books
from tests.payments.paying import pending_order

pytestmark = pytest.mark.django_db


@dataclass
class Row:
    pk: int
    is_correct: bool

    def __str__(self) -> str:
        return f"order {self.pk} is wrong"


def found(*rows: tuple[int, bool]) -> Iterator[Row]:
    return (Row(*row) for row in rows)


def test_every_kind_says_what_to_do() -> None:
    assert set(differences.TO_DO) == set(Kind)


def test_orders_are_stored_while_they_are_wrong(books: Books) -> None:
    one, two = pending_order().pk, pending_order().pk
    for _ in range(2):
        passed = list(differences.stored_orders(found((one, False), (two, True))))
        assert [row.pk for row in passed] == [one, two]
    [shown] = differences.differences()
    assert (shown.what, shown.kind, shown.amount) == (f"order {one} is wrong", Kind.ORDER, None)
    assert differences.provider_count() == 0
    list(differences.stored_orders(found((one, True), (two, False))))
    assert [row.what for row in differences.differences()] == [f"order {two} is wrong"]


def test_what_was_found_is_updated_in_place() -> None:
    for text in ("first", "second"):
        differences.store("provider:books:pay_1", Kind.BOOKS, text, amount="1.00", currency="EUR")
    [shown] = differences.differences()
    assert (shown.what, str(shown.amount), differences.provider_count()) == ("second", "1.00", 1)
    differences.remove("provider:books:pay_1")
    differences.remove("provider:books:pay_1")
    assert differences.differences() == []


def test_staff_see_them_with_what_to_do(books: Books, client: Client) -> None:
    order = pending_order()
    differences.store(f"order:{order.pk}", Kind.ORDER, "it is wrong", order_id=order.pk)
    differences.store("provider:books:pay_1", Kind.UNKNOWN_MONEY, "money of nobody", amount="7.50", currency="EUR")
    client.force_login(factories.user("stella", is_staff=True, is_superuser=True))
    page = " ".join(client.get("/admin/payments/payment/waiting/").content.decode().split())
    assert "Differences (2)" in page
    assert f">{order.number}</a>" in page
    assert "it is wrong. Something other than the shop wrote to the database" in page
    assert "No order" in page
    assert "7.50 EUR: money of nobody. Find out whose it is at the provider." in page

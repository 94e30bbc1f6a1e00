"""Verifiers: of two concurrent runs one records its result, and the log has the first wrong rows."""

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from orders.models import Order, OrderCheck
from productbackend.database import verification
from productbackend.database.verification import check_next_slice, wrong_rows
from products.models import Product
from tests import factories
from tests.orders.placed import place

pytestmark = pytest.mark.django_db


@dataclass
class Row:
    pk: int
    is_correct: bool = False

    def __str__(self) -> str:
        return f"row {self.pk} is wrong"


def rows(after: int) -> Iterator[Row]:
    return (Row(pk) for pk in range(after + 1, 11))


def test_of_two_runs_of_one_slice_one_is_recorded() -> None:
    def meanwhile(after: int) -> Iterator[Row]:
        check_next_slice(OrderCheck, rows, 4)
        yield from rows(after)

    check_next_slice(OrderCheck, meanwhile, 4)
    check = OrderCheck.objects.get()
    assert (check.last_pk, check.checked_so_far, check.wrong_so_far) == (4, 4, 4)


def test_a_slice_that_ends_with_the_last_row_is_followed_by_an_empty_one() -> None:
    for _ in range(3):
        check_next_slice(OrderCheck, rows, 5)
    check = OrderCheck.objects.get()
    assert (check.checked, check.wrong, check.last_pk, check.ended_at is None) == (10, 10, 0, False)
    assert wrong_rows(OrderCheck) == 10


def test_the_log_has_the_first_wrong_rows(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verification, "LOGGED_MAX", 2)
    with caplog.at_level(logging.ERROR):
        check_next_slice(OrderCheck, rows, 5)
    assert [record.getMessage() for record in caplog.records] == ["row 1 is wrong", "row 2 is wrong"]


def verify() -> tuple[list[str], str]:
    """The lines of `manage.py verify`, and how it ends."""
    out = StringIO()
    try:
        call_command("verify", stdout=out)
    except CommandError as error:
        return out.getvalue().splitlines(), str(error)
    return out.getvalue().splitlines(), ""


def test_all_verifiers_run_with_a_line_each() -> None:
    factories.user("carla")
    product = factories.product()
    number = place("carla", (product, 1))
    lines, end = verify()
    assert end == ""
    names = ["stock", "media", "orders", "payments", "sales"]
    assert [re.findall(r"^good  (\w+): ", line) for line in lines] == [[name] for name in names]
    assert "good  orders: 1 orders: every amount is that of the lines and the delivery." in lines
    Order.objects.filter(number=number).update(total=1, refunded=1)
    Product.objects.filter(pk=product.pk).update_without_invalidation(quantity=5)
    lines, end = verify()
    assert end == "3 of 5 verifiers found something: stock, orders, payments."
    assert [line[:4] for line in lines] == ["bad ", "good", "bad ", "bad ", "good"]
    assert lines[0] == "bad   stock: 1 of 1 products differ from their movements. See manage.py check_stock."

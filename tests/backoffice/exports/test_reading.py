"""Reading in slices."""

from itertools import pairwise
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backoffice.exports import kinds, reading
from productbackend.api import read_limit
from productbackend.errors import DomainError
from products.models import Product
from products.reads.query import FILTERS
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slices of four ids, which are read two by two."""
    monkeypatch.setattr(reading, "IDS_MAX", 4)
    monkeypatch.setattr(reading, "ROWS_MAX", 2)


def skus(found: Any = None) -> list[list[Any]]:
    found = Product.objects.all() if found is None else found
    return [[row[0] for row in rows] for rows in reading.batches(kinds.STOCK, found)]


@pytest.mark.parametrize("number", [0, 1, 2, 4, 5, 8, 9])
def test_every_row_is_read_once(small: None, number: int) -> None:
    expected = [factories.product(f"p{index}").sku for index in range(number)]
    read = skus(Product.objects.order_by("-name_key"))
    assert [sku for rows in read for sku in rows] == expected
    assert all(len(rows) <= 2 for rows in read)


def test_filters_and_a_search_hold_in_each_slice(small: None) -> None:
    for index in range(9):
        factories.product(f"Red p{index}" if index % 3 else f"Blue p{index}", quantity=index)
    assert [sku for rows in skus(Product.objects.filter(quantity__gte=5)) for sku in rows] == [
        f"{'RED' if index % 3 else 'BLUE'}-P{index}" for index in range(5, 9)
    ]
    if connection.vendor == "sqlite":  # MySQL finds only what was committed: the test of the view covers it
        found = FILTERS["search"].filter(Product.objects.all(), "red")
        assert [sku for rows in skus(found) for sku in rows] == [f"RED-P{index}" for index in range(9) if index % 3]


def test_rows_that_are_written_meanwhile(small: None) -> None:
    """One that was deleted is missing, one that is new is there, and no other is lost or twice."""
    products = [factories.product(f"p{index}") for index in range(6)]
    read = reading.batches(kinds.STOCK, Product.objects.all())
    assert [row[0] for row in next(read)] == ["P0", "P1"]
    Product.objects.filter(pk__in=[products[0].pk, products[3].pk]).delete()
    factories.product("new")
    assert [row[0] for rows in read for row in rows] == ["P2", "P4", "P5", "NEW"]


def test_no_statement_reads_more_than_a_slice(small: None) -> None:
    for index in range(9):
        factories.product(f"p{index}")
    with CaptureQueriesContext(connection) as captured:
        skus()
    assert len(captured) == 3 + 5
    limits = [query["sql"] for query in captured if "LIMIT 4" in query["sql"]]
    assert len(limits) == 3
    assert all(first != second for first, second in pairwise(limits))


def test_a_deadline_ends_the_reading(small: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for index in range(3):
        factories.product(f"p{index}")
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    read = reading.batches(kinds.STOCK, Product.objects.all(), reading.Deadline(10.0))
    next(read)
    now[0] = 110.1
    with pytest.raises(DomainError, match="more than 10 seconds") as raised:
        next(read)
    assert raised.value.code == "unavailable"


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite's limit is no part of the statement")
def test_each_statement_is_limited() -> None:
    factories.product()
    with CaptureQueriesContext(connection) as captured:
        skus()
    read = [query["sql"] for query in captured if "products_product" in query["sql"]]
    assert len(read) == 2
    assert all("MAX_EXECUTION_TIME(20000)" in sql or "max_statement_time=20.0" in sql for sql in read)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="MySQL has no limit below a millisecond")
def test_a_statement_that_takes_too_long_is_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    factories.product()
    monkeypatch.setattr(reading, "STATEMENT_SECONDS_MAX", -1.0)
    monkeypatch.setattr(read_limit, "STEPS", 1)
    with pytest.raises(Exception, match="interrupted"):
        skus()

"""Reading products for the sitemap and the feed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backoffice.feeds import rows
from products.inventory import stock
from products.models import Product
from tests import factories
from tests.backoffice.feeds.reading import picture

pytestmark = pytest.mark.django_db

CREATED = datetime(2026, 3, 1, 8, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def lamp() -> Product:
    with time_machine.travel(CREATED, tick=False):
        return factories.product("Lamp", quantity=5)


def only() -> rows.Row:
    [found] = rows.slices(0)
    [row] = found.rows
    return row


def test_hidden_products_are_read_and_left_out() -> None:
    hidden, lamp = factories.product("Hidden", is_active=False), factories.product("Lamp")
    [found] = rows.slices(0)
    assert [row.name for row in found.rows] == ["Lamp"]
    assert (found.read, found.last) == (2, lamp.pk)
    [rest] = rows.slices(hidden.pk)
    assert rest.read == 1
    assert list(rows.slices(lamp.pk)) == []


def test_slices_take_the_same_statements_whatever_their_size(lamp: Product) -> None:
    counts = []
    for number in range(2):
        with CaptureQueriesContext(connection) as captured:
            list(rows.slices(0))
        counts.append(len(captured))
        for name in "ABC":
            picture(factories.product(f"{name} {number}"))
    assert counts == [4, 4]  # products, pictures, history; and that there are no more


def test_the_first_picture_that_is_ready_and_that_google_takes(lamp: Product) -> None:
    picture(lamp, position=0, status="pending")
    picture(lamp, position=3, file="products/ab/third.png")
    picture(lamp, position=1, file="products/ab/first.avif")
    picture(lamp, position=2, renditions={"full": {"file": "a/b-full.avif", "others": ["a/b-full.webp"]}})
    assert only().image == "https://api.example/media/a/b-full.webp"
    lamp.images.filter(position=2).delete()
    assert only().image == "https://api.example/media/products/ab/third.png"
    lamp.images.filter(position=3).delete()
    assert only().image is None


def test_a_sale_does_not_move_the_time_of_the_last_change(lamp: Product) -> None:
    assert only().changed_at == CREATED
    with time_machine.travel(CREATED + DAY, tick=False):
        stock.adjust(product_id=lamp.pk, delta=-5, user=None)
    assert (only().changed_at, only().in_stock) == (CREATED, False)
    with time_machine.travel(CREATED + 2 * DAY, tick=False):
        product = Product.objects.get()
        product.description = "Warm light"
        product.save()
    assert only().changed_at == CREATED + 2 * DAY
    with time_machine.travel(CREATED + 3 * DAY, tick=False):
        stock.restock(quantities={lamp.pk: 5}, order_number="N", user=None)
    assert (only().changed_at, only().in_stock) == (CREATED + 2 * DAY, True)


def test_a_picture_is_a_change(lamp: Product, settings: Any) -> None:
    with time_machine.travel(CREATED + DAY, tick=False):
        picture(lamp)
        Product.objects.update(updated_at=CREATED + DAY)  # as the worker does that makes the renditions
    assert only().changed_at == CREATED + DAY

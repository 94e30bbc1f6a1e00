"""What the page reads: rollups, and orders where these are not up to date."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backoffice.dashboard import reading, rollups
from backoffice.models import ProductSalesDay
from backoffice.tasks import roll_sales
from orders import lifecycle
from tests import factories
from tests.backoffice.dashboard.selling import local, sell

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_berlin")]

NOON, DAY = local("2026-11-20 12:00"), timedelta(days=1)


def test_closed_days_are_read_from_rollups_and_others_from_their_orders() -> None:
    product = factories.product(quantity=100)
    old, _ = sell(NOON - 9 * DAY, (product, 1)), sell(NOON - 8 * DAY, (product, 4))
    with time_machine.travel(NOON, tick=False):
        assert reading.read(rollups.window()).total.pieces == 5  # before the job has run
        roll_sales()
    with time_machine.travel(NOON + DAY, tick=False):
        sell(NOON + DAY, (product, 2))
        lifecycle.cancel(order_id=old.pk, user=None)
        found = reading.read(rollups.window())
        assert [day.day for day in found.direct] == [21, 11]
        assert found.total.pieces == 6
        assert reading.best_sellers(found) == [(product.pk, 6)]


def test_the_best_sellers_are_those_of_rollups_and_of_today_together() -> None:
    products = [factories.product(f"p{number}", quantity=1_000) for number in range(25)]
    sell(NOON - 3 * DAY, *((product, 100 - number) for number, product in enumerate(products)))
    with time_machine.travel(NOON - DAY, tick=False):
        roll_sales()
    sell(NOON, (products[24], 24), (products[1], 2))
    with time_machine.travel(NOON, tick=False):
        best = reading.best_sellers(reading.read(rollups.window()))
        assert best[:4] == [(products[1].pk, 101), (products[0].pk, 100), (products[24].pk, 100), (products[2].pk, 98)]
        ProductSalesDay.objects.all().delete()
        assert reading.best_sellers(reading.read(rollups.window())) == [(products[24].pk, 24), (products[1].pk, 2)]


def test_days_with_too_many_new_orders_are_shown_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    product = factories.product(quantity=100)
    sell(NOON - 2 * DAY, (product, 1))
    with time_machine.travel(NOON - DAY, tick=False):
        roll_sales()
    monkeypatch.setattr(reading, "DIRECT_MAX", 2)
    for _ in range(2):
        sell(NOON, (product, 1))
    with time_machine.travel(NOON, tick=False):
        assert reading.read(rollups.window()).stale == []
        sell(NOON, (product, 1))
        for orders, since in ((1, NOON - DAY), (4, NOON)):
            found = reading.read(rollups.window())
            assert (len(found.stale), found.stale_since, found.total.orders) == (30, since, orders)
            roll_sales()
    with time_machine.travel(NOON + DAY, tick=False):
        roll_sales()
        found = reading.read(rollups.window())
        assert (found.stale, found.total.orders) == ([], 4)


def test_the_statements_do_not_grow_with_the_orders() -> None:
    def statements() -> int:
        with time_machine.travel(NOON, tick=False), CaptureQueriesContext(connection) as captured:
            reading.best_sellers(reading.read(rollups.window()))
        return len(captured)

    product = factories.product(quantity=1_000)
    sell(NOON - 2 * DAY, (product, 1))
    with time_machine.travel(NOON - DAY, tick=False):
        roll_sales()
    for _ in range(2):
        sell(NOON, (product, 1))
    few = statements()
    for number in range(8):
        sell(NOON, (factories.product(f"p{number}"), 1))
    assert statements() == few <= 12

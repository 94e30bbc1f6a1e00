"""What the page reads: rollups, and orders where these are not up to date."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backoffice.dashboard import reading, rollups
from backoffice.tasks import roll_sales
from orders import lifecycle
from tests import factories
from tests.backoffice.dashboard.selling import local, sell
from tests.rolling_back import rolled_back

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


def test_the_best_sellers_are_those_of_rollups_and_of_today_together(
    monkeypatch: pytest.MonkeyPatch, subtests: pytest.Subtests
) -> None:
    """Those that the job has found, those that today lifts past them, and others where the best ones were cancelled."""
    monkeypatch.setattr(rollups, "CANDIDATES", 4)
    monkeypatch.setattr(reading, "LISTED", 2)
    a, b, c, d, e, f, g = (factories.product(name, quantity=1_000) for name in "abcdefg")
    old = [sell(NOON - 3 * DAY, (product, 60 - 10 * n)) for n, product in enumerate((a, b, c, d, e, f))]

    def best() -> list[tuple[int, int]]:
        with time_machine.travel(NOON, tick=False):
            return reading.best_sellers(reading.read(rollups.window()))

    assert best() == [(a.pk, 60), (b.pk, 50)]  # before the job has run
    with time_machine.travel(NOON - DAY, tick=False):
        roll_sales()
    for name, today, cancelled, expected in (
        ("as they were", [], [], [(a.pk, 60), (b.pk, 50)]),
        ("a candidate", [(c, 15)], [], [(a.pk, 60), (c.pk, 55)]),
        ("another product", [(f, 45), (e, 1)], [], [(a.pk, 60), (f.pk, 55)]),
        (
            "a product without earlier sales",
            [(g, 70)],
            [],
            [(g.pk, 70), (a.pk, 60)],
        ),
        ("not enough", [(f, 39)], [], [(a.pk, 60), (b.pk, 50)]),
        ("the best ones were cancelled", [], old[:4], [(e.pk, 20), (f.pk, 10)]),
    ):
        with subtests.test(name), rolled_back():
            if today:
                sell(NOON, *today)
            for order in cancelled:
                with time_machine.travel(NOON, tick=False):
                    lifecycle.cancel(order_id=order.pk, user=None)
            assert best() == expected
            with time_machine.travel(NOON, tick=False):
                roll_sales()
            assert best() == expected


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
    sell(NOON, (factories.product("other"), 1))
    few = statements()
    for number in range(8):
        sell(NOON, (factories.product(f"p{number}"), 1))
    assert statements() == few <= 10

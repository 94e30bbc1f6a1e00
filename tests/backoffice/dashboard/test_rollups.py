"""Rollups follow the orders: over the changes of the clocks, cancellations, late commits and days without the job."""

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from backoffice.dashboard import rollups
from backoffice.models import ProductSalesDay, SalesDay
from backoffice.tasks import roll_sales
from orders import lifecycle
from orders.models import Order
from productbackend.site.days import Days, today
from tests import factories
from tests.backoffice.dashboard.selling import listed, local, sell
from tests.rolling_back import rolled_back

pytestmark = pytest.mark.django_db

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NOON = local("2026-11-20 12:00")


def rolled() -> dict[str, tuple[int, Decimal, int]]:
    """The days that have sales: orders, revenue, pieces."""
    rows = SalesDay.objects.filter(orders__gt=0)
    return {f"{row.day}": (row.orders, row.revenue, row.pieces) for row in rows}


@pytest.mark.usefixtures("in_berlin")
@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-11-20", 24)])
def test_a_day_has_its_hours_when_the_clocks_change(keeper: Client, day: str, hours: int) -> None:
    first, days = date.fromisoformat(day), Days.parse(day)
    start = local(f"{day} 00:00")
    moments = {start - MINUTE: -1, start: 0, start + 12 * HOUR: 0}
    # The last minute by the elapsed hours, not by the clock on the wall.
    moments |= {days.start + hours * HOUR - MINUTE: 0, days.start + hours * HOUR: 1}
    assert days.end - days.start == hours * HOUR
    product = factories.product(quantity=100)
    for moment in moments:
        sell(moment, (product, 2))
    with time_machine.travel(local(f"{day} 12:00") + 3 * DAY, tick=False):
        roll_sales()
        expected = Counter(f"{first + shift * DAY}" for shift in moments.values())
        assert rolled() == {day: (n, n * Decimal("39.80"), 2 * n) for day, n in expected.items()}
        for each, number in expected.items():
            url = f"/admin/orders/order/?sold=yes&day={each}"
            assert len(listed(keeper, url)) == number


@pytest.fixture
def shop(in_berlin: None) -> list[Order]:
    """Orders of three days, rolled."""
    product = factories.product(quantity=100)
    orders = [sell(NOON - number * DAY, (product, 1)) for number in (0, 1, 5)]
    with time_machine.travel(NOON + HOUR, tick=False):
        roll_sales()
    assert set(rolled()) == {"2026-11-20", "2026-11-19", "2026-11-15"}
    assert SalesDay.objects.count() == rollups.WINDOW
    return orders


def test_a_day_is_computed_again_after_a_change(shop: list[Order], subtests: pytest.Subtests) -> None:
    def cancel() -> None:
        lifecycle.cancel(order_id=shop[2].pk, user=None)

    def expire() -> None:
        lifecycle.expire(lifecycle.locked_order(shop[2].pk))

    def refund() -> None:
        shop[2].refunded = Decimal(5)
        shop[2].save(update_fields=["refunded", "updated_at"])

    gone = {"2026-11-20", "2026-11-19"}
    for step, expected in ((cancel, None), (expire, None), (refund, (1, Decimal("14.90"), 1))):
        with subtests.test(step.__name__), rolled_back():
            with time_machine.travel(NOON + 2 * DAY, tick=False):
                step()
                assert [day.day for day in rollups.due_days(rollups.window())] == [21, 22, 15]
                roll_sales()
            assert rolled().get("2026-11-15") == expected
            assert set(rolled()) - {"2026-11-15"} == gone
            assert ProductSalesDay.objects.count() == len(rolled())


def test_a_change_that_commits_after_the_run_that_it_began_before_is_found(shop: list[Order]) -> None:
    with time_machine.travel(NOON + 2 * HOUR, tick=False):
        roll_sales()
    # Written before that run by its clock, and visible only now.
    sell(NOON + 2 * HOUR - 5 * MINUTE)
    Order.objects.filter(pk=shop[2].pk).update(status="cancelled", updated_at=NOON + 2 * HOUR - 5 * MINUTE)
    with time_machine.travel(NOON + 2 * HOUR + MINUTE, tick=False):
        roll_sales()
        assert rolled()["2026-11-20"][0] == 2
        assert "2026-11-15" not in rolled()


def test_days_without_the_job_are_caught_up_and_old_days_deleted(shop: list[Order]) -> None:
    later = NOON + 27 * DAY
    sell(later - 10 * DAY)
    with time_machine.travel(later, tick=False):
        roll_sales()
        assert set(rolled()) == {"2026-11-20", "2026-11-19", "2026-12-07"}
        assert SalesDay.objects.count() == rollups.WINDOW
        assert ProductSalesDay.objects.count() == 3
        roll_sales()  # twice is once
        assert set(rolled()) == {"2026-11-20", "2026-11-19", "2026-12-07"}


@pytest.mark.usefixtures("in_berlin")
def test_a_run_that_was_interrupted_is_continued(monkeypatch: pytest.MonkeyPatch) -> None:
    sell(NOON - DAY)
    roll, calls = rollups.roll, []

    def killed(day: date) -> None:
        calls.append(day)
        if len(calls) == 5:
            raise KeyboardInterrupt
        roll(day)

    with time_machine.travel(NOON, tick=False):
        monkeypatch.setattr(rollups, "roll", killed)
        with pytest.raises(KeyboardInterrupt):
            rollups.roll_due()
        assert SalesDay.objects.count() == 4
        monkeypatch.setattr(rollups, "roll", roll)
        assert len(rollups.due_days(rollups.window())) == rollups.WINDOW - 4
        assert not rollups.roll_due(seconds=-1)
        call_command("roll_sales", verbosity=0)
        assert rollups.due_days(rollups.window()) == []
        assert rolled() == {"2026-11-19": (1, Decimal("19.90"), 1)}


def test_another_currency_or_time_zone_makes_each_day_due(shop: list[Order], settings: Any) -> None:
    with time_machine.travel(NOON + DAY, tick=False):
        roll_sales()
        assert rollups.due_days(rollups.window()) == []
        for name, value in (("CURRENCY", "CHF"), ("SHOP_TIME_ZONE", "Asia/Tokyo")):
            setattr(settings, name, value)
            assert len(rollups.due_days(rollups.window())) == rollups.WINDOW
            roll_sales()
        assert rolled() == {}


def test_a_product_that_is_deleted_leaves_no_rows(shop: list[Order]) -> None:
    [product] = {row.product for row in ProductSalesDay.objects.all()}
    product.delete()
    assert not ProductSalesDay.objects.exists()


def test_today_is_the_day_of_the_shop(in_berlin: None) -> None:
    with time_machine.travel(local("2026-11-20 00:30"), tick=False):
        assert today() == date(2026, 11, 20) != timezone.now().date()

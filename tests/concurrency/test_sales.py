"""Rollups of sales while orders are written, and by two workers: no order is lost, and none counts twice."""

from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest
from django.db import transaction

from backoffice.dashboard import rollups
from backoffice.models import ProductSalesDay, SalesDay
from orders import lifecycle
from orders.models import Order
from productbackend.site.days import today
from tests import factories
from tests.concurrency.racing import Meanwhile
from tests.concurrently import run_concurrently
from tests.orders.placed import place

pytestmark = pytest.mark.thorough


def test_workers_that_compute_the_same_day_leave_it_once() -> None:
    factories.user("carla")
    products = [factories.product(f"p{number}", price=Decimal(10)) for number in range(5)]
    for product in products:
        place("carla", (product, 2))
    assert run_concurrently([partial(rollups.roll, today())] * 8) == [None] * 8
    row = SalesDay.objects.get()
    assert (row.orders, row.revenue, row.pieces) == (5, Decimal(100), 10)
    assert sorted(ProductSalesDay.objects.values_list("product", "pieces")) == [(each.pk, 2) for each in products]


def cancelled_while_rolled() -> None:
    """The job runs to its end while a transaction that has changed an order is not committed."""
    factories.user("carla")
    number = place("carla", (factories.product(), 1))
    rollups.roll_due()
    order = Order.objects.get(number=number)
    with transaction.atomic():
        lifecycle.cancel(order_id=order.pk, user=None)
        meanwhile = Meanwhile(rollups.roll_due)
        meanwhile.after(lambda: None)()
        assert meanwhile.outcome is True
        assert meanwhile.ended_meanwhile
    assert SalesDay.objects.get(day=today()).orders == 1
    rollups.roll_due()


def test_a_change_that_is_committed_after_the_job_is_found_by_the_next_one() -> None:
    cancelled_while_rolled()
    assert SalesDay.objects.get(day=today()).orders == 0


def test_control_without_the_overlap_it_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollups, "OVERLAP", timedelta(0))
    cancelled_while_rolled()
    assert SalesDay.objects.get(day=today()).orders == 1

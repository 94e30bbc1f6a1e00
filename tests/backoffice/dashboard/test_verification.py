"""manage.py check_sales and the job: planted faults are found; what has just changed is none."""

from collections.abc import Callable
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db.models import F
from rest_framework.test import APIClient

from backoffice.dashboard import rollups, verification
from backoffice.models import ProductSalesDay, SalesCheck, SalesDay
from backoffice.tasks import check_sales as run_job
from backoffice.tasks import roll_sales
from orders.models import Order, OrderLine
from tests import factories
from tests.backoffice.dashboard.selling import local, sell
from tests.observability.metrics.reading import parsed, value
from tests.rolling_back import rolled_back

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("gauges_only", "in_berlin")]

NOON = local("2026-11-20 12:00")
CENT = Decimal("0.01")


@pytest.fixture(autouse=True)
def short_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollups, "WINDOW", 6)


def check_sales() -> str:
    out = StringIO()
    call_command("check_sales", stdout=out)
    return out.getvalue()


# What is changed behind the shop's back -> what is reported.
FAULTS: dict[str, tuple[Callable[[], Any], str]] = {
    "a count": (lambda: SalesDay.objects.filter(orders=1).update(orders=2), "orders 2 instead of 1"),
    "a cent": (
        lambda: SalesDay.objects.filter(orders=1).update(revenue=F("revenue") + CENT),
        "revenue 39.81 instead of 39.80",
    ),
    "pieces of a product": (
        lambda: ProductSalesDay.objects.update(pieces=3),
        "3 pieces of product {product} instead of 2",
    ),
    "an order by hand": (
        lambda: Order.objects.update(status="cancelled"),
        "orders 1 instead of 0, revenue 39.80 instead of 0.00, pieces 2 instead of 0, "
        "2 pieces of product {product} instead of 0",
    ),
    "a line by hand": (
        lambda: OrderLine.objects.update(restocked=1),
        "pieces 2 instead of 1, 2 pieces of product {product} instead of 1",
    ),
}


def test_a_fault_is_found_and_corrected(api: APIClient, subtests: pytest.Subtests) -> None:
    product = factories.product()
    sell(NOON, (product, 2))
    with time_machine.travel(local("2026-11-22 12:00"), tick=False):
        roll_sales()
        assert check_sales() == "6 days: the sales are those of the orders.\n"
        for fault, (plant, report) in FAULTS.items():
            with subtests.test(fault), rolled_back():
                plant()
                out = StringIO()
                with pytest.raises(CommandError, match="The sales of 1 of 6 days differ"):
                    call_command("check_sales", stdout=out)
                assert out.getvalue() == f"sales of 2026-11-20: {report.format(product=product.pk)}\n"
                run_job()
                metrics = parsed(api.get("/metrics").content.decode())
                assert value(metrics, "productbackend_sales_drift_rollups") == 1
                assert value(metrics, "productbackend_sales_check_timestamp_seconds") > 0
                call_command("roll_sales", "--all", stdout=out)
                assert check_sales() == "6 days: the sales are those of the orders.\n"


def test_what_the_job_has_not_counted_yet_is_no_fault() -> None:
    order = sell(NOON)
    with time_machine.travel(local("2026-11-22 12:00"), tick=False):
        roll_sales()
        order.status = "cancelled"
        order.save()
        sell(local("2026-11-22 12:00"))
        assert check_sales() == "6 days: the sales are those of the orders.\n"


def test_the_job_checks_a_slice_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verification, "SLICE", 4)
    roll_sales()
    run_job()
    assert SalesCheck.objects.get().ended_at is None
    run_job()
    assert (SalesCheck.objects.get().checked, SalesCheck.objects.get().wrong) == (6, 0)

"""manage.py check_orders and the job: every order's amounts are those of its lines; planted faults are found."""

import time
from collections.abc import Callable
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models import F, QuerySet
from rest_framework.test import APIClient

from delivery.models import DeliveryMethod
from orders import verifying
from orders.models import Order, OrderCheck, OrderLine
from orders.tasks import check_orders as run_job
from products.models import Product
from taxes.models import TaxRate
from tests import factories
from tests.buying import fill_cart
from tests.observability.metrics.reading import parsed, value
from tests.orders.placed import place
from tests.rolling_back import rolled_back

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("gauges_only")]

CENT = Decimal("0.01")
ADDRESS = {"name": "Carla Coe", "line1": "Hauptstraße 1", "city": "Berlin", "country": "DE"}


def check_orders() -> str:
    out = StringIO()
    call_command("check_orders", stdout=out)
    return out.getvalue()


def checkout(client: APIClient, products: list[tuple[Product, int]], **details: Any) -> str:
    cart = fill_cart(client, *products)
    assert client.patch(f"/carts/{cart}/", details, format="json").status_code == 200
    response = client.post(f"/carts/{cart}/checkout/")
    assert response.status_code == 201, response.content
    return response.json()["number"]


@pytest.fixture
def shop(customer: APIClient, settings: Any) -> dict[str, str]:
    """The numbers of four orders: one without tax and delivery, as before there was either, and three with tax."""
    shoe, hat, lace = (
        factories.product(name, sku=name.upper(), price=Decimal(price), quantity=100)
        for name, price in {"Shoe": "45.00", "Hat": "49.00", "Lace": "0.01"}.items()
    )
    lines = [(shoe, 1), (hat, 1), (lace, 3)]
    numbers = {"old": place("carla", *lines)}
    TaxRate.objects.create(country="DE", rate="21", valid_from="2020-01-01")
    settings.SHOP_COUNTRY = "DE"
    numbers["collected"] = checkout(customer, lines)
    DeliveryMethod.objects.create(code="parcel", name="Parcel", price="4.96")
    sent = {"shipping_address": ADDRESS, "delivery_method": "parcel"}
    numbers["gross"] = checkout(customer, lines, **sent)
    settings.PRICES_INCLUDE_TAX = False
    numbers["net"] = checkout(customer, lines, **sent)
    return numbers


def test_correct_orders(shop: dict[str, str], customer: APIClient, staff: APIClient) -> None:
    assert Order.objects.filter(tax__gt=0).count() == 3
    assert customer.post(f"/orders/{shop['gross']}/cancel/").status_code == 200
    assert staff.post(f"/orders/{shop['net']}/fulfil/").status_code == 200
    Product.objects.update(price="1.00")
    TaxRate.objects.update(rate="7")
    DeliveryMethod.objects.all().delete()
    assert check_orders() == "4 orders: every amount is that of the lines and the delivery.\n"


Fault = Callable[[QuerySet[Order], QuerySet[OrderLine]], Any]

# Which order -> what is changed in the database by one cent, and what is reported.
FAULTS: dict[str, tuple[str, Fault, str]] = {
    "total": (
        "gross",
        lambda order, lines: order.update(total=F("total") + CENT),
        "total 99.00 instead of 98.99",
    ),
    "tax": ("gross", lambda order, lines: order.update(tax=F("tax") - CENT), "tax 17.17 instead of 17.18"),
    "delivery": (
        "gross",
        lambda order, lines: order.update(delivery_price=F("delivery_price") + CENT),
        "total 98.99 instead of 99.00",
    ),
    "unit price": (
        "gross",
        lambda order, lines: lines.filter(sku="SHOE").update(unit_price=F("unit_price") - CENT),
        "total 98.99 instead of 98.98",
    ),
    "unit price and total, so that only a tax differs": (
        "gross",
        lambda order, lines: (
            lines.filter(sku="HAT").update(unit_price=F("unit_price") + CENT),
            order.update(total=F("total") + CENT),
        ),
        "tax 17.18 instead of 17.19, tax of HAT 8.50 instead of 8.51",
    ),
    "quantity of a piece of one cent": (
        "net",
        lambda order, lines: lines.filter(sku="LACE").update(quantity=4),
        "total 119.78 instead of 119.79",
    ),
    "tax of a line": (
        "net",
        lambda order, lines: lines.filter(sku="LACE").update(tax=F("tax") - CENT),
        "tax of LACE 0.00 instead of 0.01",
    ),
    "a cent of tax from one line to another": (
        "net",
        lambda order, lines: (
            lines.filter(sku="SHOE").update(tax=F("tax") + CENT),
            lines.filter(sku="HAT").update(tax=F("tax") - CENT),
        ),
        "tax of SHOE 9.46 instead of 9.45, tax of HAT 10.28 instead of 10.29",
    ),
    "total and tax of a shop with net prices": (
        "net",
        lambda order, lines: order.update(total=F("total") + CENT, tax=F("tax") + CENT),
        "total 119.79 instead of 119.78, tax 20.80 instead of 20.79",
    ),
    "delivery without a method": (
        "collected",
        lambda order, lines: order.update(total=F("total") + CENT, delivery_price=CENT),
        "total 94.04 instead of 94.03, delivery 0.01 instead of 0.00",
    ),
    "total of an old order": (
        "old",
        lambda order, lines: order.update(total=F("total") - CENT),
        "total 94.02 instead of 94.03",
    ),
    "tax of an old order": ("old", lambda order, lines: order.update(tax=CENT), "tax 0.01 instead of 0.00"),
}


def test_a_fault_of_one_cent_is_found(shop: dict[str, str], api: APIClient, subtests: pytest.Subtests) -> None:
    for fault, case in FAULTS.items():
        with subtests.test(fault), rolled_back():
            check_fault(shop, api, *case)


def check_fault(shop: dict[str, str], api: APIClient, name: str, plant: Fault, report: str) -> None:
    plant(Order.objects.filter(number=shop[name]), OrderLine.objects.filter(order__number=shop[name]))
    out = StringIO()
    with pytest.raises(CommandError, match="1 of 4 orders differ"):
        call_command("check_orders", stdout=out)
    assert out.getvalue() == f"order {shop[name]}: {report}\n"
    run_job()
    assert value(parsed(api.get("/metrics").content.decode()), "productbackend_order_drift_orders") == 1


def test_the_job_checks_a_slice_at_a_time_and_starts_over(
    customer: APIClient, api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(name: str) -> float:
        return value(parsed(api.get("/metrics").content.decode()), f"productbackend_order_{name}")

    monkeypatch.setattr(verifying, "SLICE", 2)
    product = factories.product()
    numbers = [place("carla", (product, 1)) for _ in range(5)]
    Order.objects.filter(number=numbers[0]).update(total=F("total") + CENT)
    assert read("check_timestamp_seconds") == 0
    run_job()
    assert read("drift_orders") == 1  # is reported before the check is complete
    assert read("check_timestamp_seconds") == 0
    run_job()
    run_job()
    check = OrderCheck.objects.get()
    assert (check.checked, check.wrong, check.checked_so_far) == (5, 1, 0)
    assert read("check_timestamp_seconds") == pytest.approx(time.time(), abs=20)
    Order.objects.filter(number=numbers[0]).update(total=F("total") - CENT)
    for _ in range(3):
        run_job()
    assert read("drift_orders") == 0


def test_orders_are_read_in_batches(
    customer: APIClient, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    monkeypatch.setattr(verifying, "BATCH", 2)
    product, other = factories.product(), factories.product("Hat")
    for _ in range(4):
        place("carla", (product, 1), (other, 1))
    with django_assert_num_queries(6):  # the count, two batches with their lines, and the last empty one
        check_orders()


def test_amounts_of_20_digits(customer: APIClient) -> None:
    dear = factories.product(price=Decimal("99999999.99"), quantity=2**31 - 1)
    place("carla", (dear, 2**31 - 1))
    assert Order.objects.get().total > 10**17
    assert check_orders() == "1 orders: every amount is that of the lines and the delivery.\n"

"""Orders that staff find: filters, the customer, and the time of the last change."""

from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from orders.models import Order
from tests import factories
from tests.orders.placed import place

pytestmark = pytest.mark.django_db


def numbers(client: APIClient, query: str = "") -> list[str]:
    return [order["number"] for order in client.get(f"/orders/{query}").json()["results"]]


@pytest.fixture
def four_orders(customer: APIClient) -> list[str]:
    """Orders of four days, the first one ten days ago."""
    factories.user("otto")
    product = factories.product(quantity=100)
    placed = [place(name, (product, 1)) for name in ("carla", "otto", "carla", "otto")]
    for number, days in zip(placed, (10, 9, 8, 7), strict=True):
        time = timezone.now() - timedelta(days=days)
        Order.objects.filter(number=number).update(created_at=time, updated_at=time)
    return placed


def ago(days: float) -> str:
    return (timezone.now() - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_orders_are_filtered_by_status_and_time(four_orders: list[str], staff: APIClient) -> None:
    first, second, third, fourth = four_orders
    assert staff.post(f"/orders/{first}/cancel/").status_code == 200
    assert staff.post(f"/orders/{second}/fulfil/").status_code == 200
    assert numbers(staff, "?status=cancelled&status=fulfilled") == [second, first]
    assert numbers(staff, "?status=paid&status=") == [fourth, third]
    assert len(numbers(staff, "?status=")) == 4
    assert numbers(staff, f"?created_after={ago(8.5)}") == [fourth, third]
    assert numbers(staff, f"?created_after={ago(9.5)}&created_before={ago(7.5)}") == [third, second]
    assert numbers(staff, f"?updated_after={ago(1)}&ordering=updated_at") == [first, second]
    assert numbers(staff, f"?created_before={ago(9.5).removesuffix('Z')}+00:00") == [first]
    assert numbers(staff, "?created_before=2020-01-01") == []


@pytest.mark.parametrize(
    "query",
    [
        "status=lost",
        "status=paid&status=lost",
        "created_after=soon",
        "created_after=0001-01-01T00:00:00%2B14:00",
        "created_after=2026-13-01",
        "updated_after=" + "1" * 900,
        "created_after=2026-01-01&created_after=2026-01-02",
        "customer=x",
        "search=" + "a" * 101,
    ],
)
def test_filters_that_make_no_sense_are_a_400(staff: APIClient, query: str) -> None:
    response = staff.get(f"/orders/?{query}")
    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == query.partition("=")[0]


def test_staff_find_orders_by_customer_address_and_beginning(four_orders: list[str], staff: APIClient) -> None:
    first, second, third, fourth = four_orders
    carla = User.objects.get(username="carla")
    Order.objects.filter(number=third).update(user=None, email="gast@example.com")
    assert numbers(staff, f"?customer={carla.pk}") == [first]
    assert numbers(staff, "?email=Gast@Example.COM") == [third]
    assert numbers(staff, "?email=gast@example") == []
    assert numbers(staff, f"?search={first[:6].lower()}") == [first]
    assert numbers(staff, "?search=GAST@ex") == [third]
    assert numbers(staff, "?search=Ott") == [fourth, second]
    assert numbers(staff, "?search=nobody") == []


def test_only_staff_see_the_customer(four_orders: list[str], customer: APIClient, staff: APIClient) -> None:
    number, carla = four_orders[0], User.objects.get(username="carla")
    own = customer.get(f"/orders/{number}/").json()
    assert "customer" not in own
    assert own["email"] == "carla@example.com"
    shown = {"id": carla.pk, "username": "carla", "email": "carla@example.com"}
    assert staff.get(f"/orders/{number}/").json() == own | {"customer": shown}
    assert staff.get("/orders/").json()["results"][-1]["customer"] == shown
    Order.objects.filter(number=number).update(user=None)
    assert staff.get(f"/orders/{number}/").json()["customer"] is None


def test_a_step_changes_updated_at(four_orders: list[str], customer: APIClient) -> None:
    before = customer.get(f"/orders/{four_orders[0]}/").json()["updated_at"]
    after = customer.post(f"/orders/{four_orders[0]}/cancel/").json()["updated_at"]
    assert before < ago(1) < after


@pytest.mark.parametrize("name", ["customer", "email", "search"])
def test_to_others_than_staff_their_filters_are_unknown(customer: APIClient, name: str) -> None:
    response = customer.get(f"/orders/?{name}=1")
    assert response.status_code == 400
    assert [(error["field"], error["code"]) for error in response.json()["errors"]] == [(name, "unknown_parameter")]

"""Staff find orders by the beginning of what they know."""

from dataclasses import replace as with_changes

import pytest
from rest_framework.test import APIClient

from orders import search
from orders.models import Order
from orders.search import beginning_with
from tests import factories
from tests.orders.placed import CARLA, place

pytestmark = pytest.mark.django_db


@pytest.fixture
def ids(customer: APIClient, other_customer: APIClient) -> dict[str, int]:
    """The orders of carla, whose recipient is Straßenkönig Ümit, and of otto, without an address."""
    product = factories.product(quantity=100, sku="SHOE-42")
    recipient = with_changes(CARLA, name="Straßenkönig  Ümit")
    numbers = {
        "carla": place("carla", (product, 1), shipping_address=recipient),
        "otto": place("otto", (product, 1)),
    }
    Order.objects.filter(number=numbers["otto"]).update(user=None, email="ida@xn--mnchen-3ya.de")
    return {name: Order.objects.get(number=number).pk for name, number in numbers.items()}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("carla", {"carla"}),
        ("CAR", {"carla"}),
        ("carla@EX", {"carla"}),
        ("Straßen", {"carla"}),
        ("STRASSENKÖNIG ümit", {"carla"}),
        ("Ümit", set()),
        ("ida@", {"otto"}),
        ("IDA@MÜNCHEN.DE", {"otto"}),
        ("nobody", set()),
        ("%", set()),
        ("\u200b", set()),
        ("  ida@  ", {"otto"}),
        ("shoe-42", {"carla", "otto"}),
        ("shoe-4", set()),
    ],
)
def test_orders_are_found(ids: dict[str, int], staff: APIClient, text: str, found: set[str]) -> None:
    assert beginning_with(text) == {ids[name] for name in found}


def test_orders_are_found_by_their_numbers(ids: dict[str, int]) -> None:
    number = Order.objects.get(pk=ids["otto"]).number
    assert beginning_with(number[:9].lower()) == {ids["otto"]}


def test_each_part_finds_so_many_at_most(ids: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "MATCHES_MAX", 2)
    product = factories.product("Hat", quantity=100)
    for _ in range(5):
        place("carla", (product, 1), shipping_address=with_changes(CARLA, name="Zoe"))
    assert len(beginning_with("zoe")) == 2
    assert len(beginning_with("carla")) <= 4  # by address, and by user name


def test_the_api_finds_by_the_recipients_name(ids: dict[str, int], staff: APIClient) -> None:
    number = Order.objects.get(pk=ids["carla"]).number
    results = staff.get("/orders/", {"search": "strassenk"}).json()["results"]
    assert [order["number"] for order in results] == [number]

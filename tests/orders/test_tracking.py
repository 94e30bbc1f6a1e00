"""The tracking of an order: stored when it is fulfilled."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from orders.models import Order
from tests import factories
from tests.orders.placed import place

pytestmark = pytest.mark.django_db

URL = "https://post.example.com/?id=JD0140600#1"


@pytest.fixture
def number(customer: APIClient) -> str:
    return place("carla", (factories.product(), 1))


@pytest.mark.parametrize(
    ("body", "tracking"),
    [
        (None, None),
        ({}, None),
        ({"carrier": "", "tracking_number": "", "tracking_url": ""}, None),
        ({"carrier": "Post"}, {"carrier": "Post", "number": "", "url": ""}),
        (
            {"carrier": "Post", "tracking_number": "JD 0140600", "tracking_url": URL},
            {"carrier": "Post", "number": "JD 0140600", "url": URL},
        ),
        ({"tracking_url": "http://[2001:db8::1]/1"}, {"carrier": "", "number": "", "url": "http://[2001:db8::1]/1"}),
        ({"carrier": "ш" * 100}, {"carrier": "ш" * 100, "number": "", "url": ""}),
    ],
)
def test_an_order_is_fulfilled_with_its_tracking(
    number: str, staff: APIClient, customer: APIClient, body: Any, tracking: Any
) -> None:
    response = staff.post(f"/orders/{number}/fulfil/", body)
    assert (response.status_code, response.json()["status"]) == (200, "fulfilled")
    assert response.json()["tracking"] == tracking == customer.get(f"/orders/{number}/").json()["tracking"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"carrier": "a" * 101}, "carrier"),
        ({"tracking_number": "a" * 101}, "tracking_number"),
        ({"tracking_url": f"https://post.example.com/{'a' * 500}"}, "tracking_url"),
        ({"tracking_url": "javascript:alert(1)"}, "tracking_url"),
        ({"tracking_url": "//post.example.com/1"}, "tracking_url"),
        ({"tracking_url": "https://"}, "tracking_url"),
        ({"tracking_url": "https://post.example.com/a b"}, "tracking_url"),
        ({"tracking_url": "https://post.example.com/\nb"}, "tracking_url"),
        ({"tracking_number": None}, "tracking_number"),
        ({"carrier": ["Post"]}, "carrier"),
        ([], None),
    ],
)
def test_what_makes_no_sense_is_a_400_and_changes_nothing(
    number: str, staff: APIClient, body: Any, field: str | None
) -> None:
    response = staff.post(f"/orders/{number}/fulfil/", body)
    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == [field]
    assert Order.objects.get().status == "paid"


def test_tracking_is_not_changed_by_a_refused_step(number: str, staff: APIClient) -> None:
    staff.post(f"/orders/{number}/fulfil/", {"carrier": "Post"})
    refused = staff.post(f"/orders/{number}/fulfil/", {"carrier": "Other"})
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/order-state")
    assert Order.objects.get().tracking_carrier == "Post"

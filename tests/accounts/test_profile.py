"""The user's own account over HTTP."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from rest_framework.test import APIClient

from accounts.signals import account_closed
from orders.models import Order
from tests import factories

pytestmark = pytest.mark.django_db


def test_the_account_requires_authentication(api: APIClient, customer: APIClient) -> None:
    for method in (api.get, api.patch, api.delete):
        assert method("/account/").status_code == 401
    assert api.post("/account/password/").status_code == 401
    assert api.post("/token/revoke-all/").status_code == 401
    assert customer.get("/account/").json()["username"] == "carla"
    assert customer.post("/account/").status_code == 405


def test_the_etag_changes_with_the_account(customer: APIClient) -> None:
    tag = customer.get("/account/")["ETag"]
    assert customer.get("/account/", HTTP_IF_NONE_MATCH=tag).status_code == 304
    response = customer.patch("/account/", {"first_name": "Carla"})
    assert response.status_code == 200
    assert response.json()["first_name"] == "Carla"
    assert response["ETag"] == customer.get("/account/")["ETag"] != tag


def test_a_patch_changes_only_writable_fields(customer: APIClient) -> None:
    before = customer.get("/account/").json()
    body = {"last_name": "Otto", "id": 99, "username": "root", "email_verified": True, "is_staff": True}
    assert customer.patch("/account/", body).json() == {**before, "last_name": "Otto"}
    assert customer.patch("/account/", {"first_name": "x" * 151}).status_code == 400
    assert customer.patch("/account/", {"email": None, "password": factories.PASSWORD}).status_code == 400
    assert customer.patch("/account/", []).status_code == 400
    assert customer.patch("/account/", {}).status_code == 200
    assert not get_user_model().objects.get(username="carla").is_staff


def test_closing_frees_name_and_address_and_keeps_the_order(api: APIClient, customer: APIClient) -> None:
    user = get_user_model().objects.get(username="carla")
    order = Order.objects.create(number="A-1", user=user, placed_by=user, cart_id=1, total="5.00", currency="EUR")
    assert customer.delete("/account/", {"password": factories.PASSWORD}).status_code == 204
    order.refresh_from_db()
    assert (order.user, order.placed_by) == (None, None)
    assert not get_user_model().objects.filter(username="carla").exists()
    body = {"username": "carla", "email": "carla@example.com"}
    body |= {"password": factories.PASSWORD, "repeat_password": factories.PASSWORD}
    assert api.post("/register/", body).status_code == 201


def test_account_closed_is_sent_before_the_user_is_deleted(customer: APIClient) -> None:
    received: list[Any] = []

    def listen(sender: Any, user: Any, **kwargs: Any) -> None:
        received.append(get_user_model().objects.filter(pk=user.pk).exists())

    account_closed.connect(listen)
    try:
        customer.delete("/account/", {"password": factories.PASSWORD})
    finally:
        account_closed.disconnect(listen)
    assert received == [True]

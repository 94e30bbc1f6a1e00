"""One's own account over HTTP."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from rest_framework.test import APIClient

from accounts.signals import account_closed
from orders.models import Order
from outbox.models import Mail
from tests import factories

pytestmark = pytest.mark.django_db


def test_only_the_user_reads_it(api: APIClient, customer: APIClient) -> None:
    for method in (api.get, api.patch, api.delete):
        assert method("/account/").status_code == 401
    assert api.post("/account/password/").status_code == 401
    assert api.post("/token/revoke-all/").status_code == 401
    assert customer.get("/account/").json()["username"] == "carla"
    assert customer.post("/account/").status_code == 405


def test_the_tag_follows_the_account(customer: APIClient) -> None:
    tag = customer.get("/account/")["ETag"]
    assert customer.get("/account/", HTTP_IF_NONE_MATCH=tag).status_code == 304
    answer = customer.patch("/account/", {"first_name": "Carla"})
    assert answer.status_code == 200
    assert answer.json()["first_name"] == "Carla"
    assert answer["ETag"] == customer.get("/account/")["ETag"] != tag


def test_a_patch_changes_names_alone_and_nothing_that_is_not_its_own(customer: APIClient) -> None:
    before = customer.get("/account/").json()
    body = {"last_name": "Otto", "id": 99, "username": "root", "email_verified": True, "is_staff": True}
    assert customer.patch("/account/", body).json() == {**before, "last_name": "Otto"}
    assert customer.patch("/account/", {"first_name": "x" * 151}).status_code == 400
    assert customer.patch("/account/", {"email": None}).status_code == 400
    assert customer.patch("/account/", []).status_code == 400
    assert customer.patch("/account/", {}).status_code == 200
    assert not get_user_model().objects.get(username="carla").is_staff


def test_closing_frees_name_and_address_and_keeps_the_order(api: APIClient, customer: APIClient) -> None:
    user = get_user_model().objects.get(username="carla")
    order = Order.objects.create(number="A-1", user=user, placed_by=user, cart_id=1, total="5.00", currency="EUR")
    assert customer.delete("/account/").status_code == 204
    order.refresh_from_db()
    assert (order.user, order.placed_by) == (None, None)
    assert not get_user_model().objects.filter(username="carla").exists()
    body = {"username": "carla", "email": "carla@example.com"}
    body |= {"password": factories.PASSWORD, "repeat_password": factories.PASSWORD}
    assert api.post("/register/", body).status_code == 201


def test_closing_takes_the_person_out_of_the_outbox(api: APIClient, customer: APIClient) -> None:
    customer.patch("/account/", {"email": "new@example.com"})
    api.post("/password-reset/", {"email": "carla@example.com"})
    api.post("/password-reset/", {"email": "other@example.com"})
    Mail.objects.filter(kind="email-change").update(status="sent", last_error="450 <carla@example.com> is busy")
    customer.delete("/account/")
    kept = set(Mail.objects.values_list("kind", "recipient", "status", "last_error"))
    assert kept == {
        ("email-confirm", "", "failed", ""),
        ("email-change", "", "sent", ""),
        ("password-reset", "", "failed", ""),
        ("password-reset", "other@example.com", "pending", ""),
    }


def test_others_hear_of_the_closing_while_the_user_is_there(customer: APIClient) -> None:
    heard: list[Any] = []

    def listen(sender: Any, user: Any, **kwargs: Any) -> None:
        heard.append(get_user_model().objects.filter(pk=user.pk).exists())

    account_closed.connect(listen)
    try:
        customer.delete("/account/")
    finally:
        account_closed.disconnect(listen)
    assert heard == [True]


def test_the_password_is_changed_by_who_knows_it(api: APIClient, customer: APIClient) -> None:
    new = "quite another secret"
    wrong = customer.post("/account/password/", {"old_password": "wrong", "new_password": new})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (400, "old_password")
    weak = customer.post("/account/password/", {"old_password": factories.PASSWORD, "new_password": "carla123"})
    assert (weak.status_code, weak.json()["errors"][0]["field"]) == (400, "new_password")
    assert customer.post("/account/password/", []).status_code == 400
    right = customer.post("/account/password/", {"old_password": factories.PASSWORD, "new_password": new})
    assert right.status_code == 204
    assert api.post("/token/", {"username": "carla", "password": factories.PASSWORD}).status_code == 401
    assert api.post("/token/", {"username": "carla", "password": new}).status_code == 200

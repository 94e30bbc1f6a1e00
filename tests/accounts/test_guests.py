"""Guests: becoming one, and what the token opens."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import Guest
from tests import factories
from tests.guests import UNKNOWN, GuestClient, fill, order

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("with_guests")]


def test_the_token_is_stored_as_a_hash_and_is_in_no_log(
    guest: GuestClient, api: APIClient, caplog: pytest.LogCaptureFixture
) -> None:
    token = guest.token
    assert len(token) == 43
    cart = fill(guest, factories.product())
    guest.get("/nowhere/")
    refused = guest.post(f"/carts/{cart}/checkout/")
    api.post("/carts/merge/", {"guest_token": token})
    assert token not in caplog.text + refused.content.decode()
    assert token not in str(list(Guest.objects.values()))


@pytest.mark.parametrize("token", [UNKNOWN, "x", "", "\u00e9" * 43, "A" * 8000])
def test_an_unknown_token_is_a_401_that_says_what_to_do(api: APIClient, token: str) -> None:
    for path in ("/carts/", "/cart-items/", "/orders/"):
        response = api.get(path, headers={"Guest-Token": token})
        assert response.status_code == 401
        assert response.json()["type"] == "/problems/not-authenticated"
        assert "/guests/" in response.json()["detail"]
        assert not token or token not in response.content.decode()


def test_without_the_setting_nothing_of_it_exists(guest: GuestClient, customer: APIClient, settings: Any) -> None:
    token = guest.token
    settings.GUEST_CHECKOUT = False
    assert APIClient().post("/guests/").status_code == 404
    assert guest.get("/carts/").status_code == 401
    assert guest.post("/carts/").status_code == 401
    assert customer.post("/carts/merge/", {"guest_token": token}).status_code == 404


def test_the_user_counts_when_both_are_sent(guest: GuestClient, customer: APIClient) -> None:
    both = {"Guest-Token": guest.token}
    assert customer.post("/carts/", headers=both).json()["user"]["username"] == "carla"
    refused = guest.get("/carts/", headers={"Authorization": "Bearer nonsense"})
    assert refused.status_code == 401


def test_guests_are_throttled_by_network(api: APIClient, settings: Any) -> None:
    statuses = [api.post("/guests/").status_code for _ in range(61)]
    assert statuses == [201] * 60 + [429]


def test_a_guest_is_anonymous_everywhere_else(guest: GuestClient) -> None:
    assert guest.get("/products/").status_code == 200
    for path in ("/account/", "/account/orders/claim/", "/carts/merge/", "/account/password/", "/products/"):
        assert guest.post(path, {}).status_code in (401, 405), path
    assert guest.post(f"/orders/{order(guest)}/fulfil/").status_code == 403

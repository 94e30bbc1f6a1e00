"""Deletion of the carts that guests left."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import Guest
from carts import expiry
from carts.models import Cart
from carts.tasks import expire_guest_carts
from productbackend.database.transactions import in_slices
from tests import factories
from tests.guests import GuestClient, fill, new_guest, order

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("with_guests")]


def test_unused_carts_of_guests_expire(guest: GuestClient, api: APIClient, customer: APIClient, settings: Any) -> None:
    used, buyer, visitor = new_guest(api), new_guest(api), new_guest(api)
    number = order(buyer)
    for client in (guest, used, customer):
        fill(client, factories.product())
    long_ago = timezone.now() - timedelta(days=settings.GUEST_CART_DAYS, minutes=1)
    Guest.objects.update(created_at=long_ago)
    Cart.objects.update(updated_at=long_ago)
    fill(used, factories.product())
    expire_guest_carts()
    assert guest.get("/carts/").status_code == 401
    assert visitor.get("/carts/").status_code == 401
    assert used.get("/carts/").json()["count"] == 1
    assert customer.get("/carts/").json()["count"] == 1
    assert buyer.get(f"/orders/{number}/").status_code == 200


def test_a_cart_that_is_used_while_it_expires_stays(
    guest: GuestClient, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(guest, factories.product())
    Cart.objects.update(updated_at=timezone.now() - timedelta(days=settings.GUEST_CART_DAYS, minutes=1))

    def used_meanwhile(rows: Any) -> Iterator[Any]:
        for part in in_slices(rows):
            fill(guest, factories.product())
            yield part

    monkeypatch.setattr(expiry, "in_slices", used_meanwhile)
    assert expiry.expire_guest_carts() == 0
    assert guest.get("/carts/").json()["results"][0]["count"] == 2

"""Anonymization of closed accounts, and deletion of expired data."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from accounts import profile
from orders.models import Order
from tests import factories
from tests.buying import order
from tests.dumping import tables_that_say
from tests.mail import deliver

pytestmark = pytest.mark.django_db

NAME = "carla"


@pytest.fixture
def history(customer: APIClient, staff: APIClient, api: APIClient) -> Any:
    """Orders, mails to a former address, and changes by staff, of an account with a changed e-mail address."""
    user = factories.get_user_model().objects.get(username=NAME)
    order(customer, f"{NAME}-1")
    api.post("/password-reset/", {"email": "carla@example.com"})
    deliver()
    user.email = "new@example.com"
    user.save()
    page = Client()
    page.force_login(factories.get_user_model().objects.get(username="stella"))
    change = reverse("admin:accounts_user_change", args=[user.pk])
    page.post(change, {"username": NAME, "email": "new@example.com", "first_name": "Jo", "is_active": "on"})
    assert LogEntry.objects.exists()
    return user


def test_closing_an_account_anonymizes_it_everywhere(history: Any, customer: APIClient) -> None:
    assert {"orders_order", "outbox_mail", "django_admin_log"} <= set(tables_that_say(NAME))
    # By the domain function, since the API may require a password.
    profile.close(user=history)
    assert tables_that_say(NAME) == ["orders_order"]  # the shop may need the order's address
    Order.objects.update(email="")
    assert tables_that_say(NAME) == []
    snapshot = Order.objects.get().cart_snapshot
    assert snapshot is not None
    assert (snapshot["user"], snapshot["count"]) == (None, 1)


def test_deletion_in_the_admin_anonymizes_too(history: Any) -> None:
    page = Client()
    page.force_login(factories.get_user_model().objects.get(username="stella"))
    page.post(reverse("admin:accounts_user_delete", args=[history.pk]), {"post": "yes"})
    Order.objects.update(email="")
    assert tables_that_say(NAME) in ([], ["django_session"])

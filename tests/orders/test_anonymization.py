"""Old orders forget their customers."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from orders.models import Order
from orders.tasks import anonymize_old_orders
from tests import factories
from tests.orders.placed import place

pytestmark = pytest.mark.django_db


def test_old_orders_forget_their_customers(customer: APIClient, settings: Any) -> None:
    settings.KEEP_ORDERS_YEARS = 2
    number, kept = (place("carla", (factories.product(name), 1)) for name in ("Shoe", "Hat"))
    Order.objects.update(phone="+49 30 1", note="Ring twice", cart_snapshot={"email": "carla@example.com"})
    Order.objects.filter(number=number).update(created_at=timezone.now() - timedelta(days=733))
    before = Order.objects.values().get(number=kept)
    for _ in range(2):  # a second run changes nothing
        anonymize_old_orders()
        old = Order.objects.get(number=number)
        assert (old.email, old.phone, old.note, old.cart_snapshot) == ("", "", "", None)
        assert old.total > 0
        assert Order.objects.values().get(number=kept) == before

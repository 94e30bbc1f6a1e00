"""Payments and movements of money are found by a reference or an order's number, events by their id or a reference."""

import pytest
from django.test import Client

from orders.models import Order
from payments.models import MoneyMovement, Payment, ProviderEvent
from tests import factories

pytestmark = pytest.mark.django_db


def test_payments_and_movements_are_found(client: Client) -> None:
    client.force_login(factories.user("stella", is_staff=True, is_superuser=True))
    for number in ("A1", "B2"):
        order = Order.objects.create(number=number, total=5, currency="EUR", cart_id=int(number[1:]))
        payment = Payment.objects.create(
            order=order, method="stripe", amount=5, currency="EUR", reference=f"pi_{number}"
        )
        MoneyMovement.objects.create(
            payment=payment, order=order, kind="capture", amount=5, provider="stripe", reference=f"ch_{number}",
            occurred_at=order.created_at,
        )  # fmt: skip
    for path, reference in (("payment", "pi_A1"), ("moneymovement", "ch_A1")):
        for term, found in ((reference, ["A1"]), ("A1", ["A1"]), ("nothing", []), ("", ["A1", "B2"])):
            page = client.get(f"/admin/payments/{path}/", {"q": term})
            assert sorted(row.order.number for row in page.context["cl"].queryset) == found, (path, term)


def test_events_are_found(admin_client: Client) -> None:
    for number in ("1", "2"):
        ProviderEvent.objects.create(provider="stripe", event_id=f"evt_{number}", reference=f"pi_{number}")
    for term, found in (("evt_1", ["evt_1"]), ("pi_2", ["evt_2"]), ("nothing", []), ("", ["evt_1", "evt_2"])):
        page = admin_client.get("/admin/payments/providerevent/", {"q": term})
        assert sorted(row.event_id for row in page.context["cl"].queryset) == found, term

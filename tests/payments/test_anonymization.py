"""Payments and refunds forget who people are: with closed accounts, and with old orders."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import models
from django.utils import timezone

from accounts.models import User
from orders.models import Order
from payments.anonymization import PAYMENT_TEXTS, REFUND_TEXTS
from payments.marking import mark_paid
from payments.models import MoneyMovement, Payment, Refund
from payments.refunds import RefundRequest
from payments.sending import request
from payments.tasks import anonymize_payments
from tests import factories
from tests.payments.books import Books
from tests.payments.paying import TOTAL, pending_order
from tests.test_personal_data import LISTED

pytestmark = pytest.mark.django_db

AFTER = timedelta(days=3661)
KEY = {"idempotency_key": "key-of-carla", "fingerprint": "f"}


@pytest.fixture
def order(books: Books) -> Order:
    """An order with a payment and a refund, with a text in each column that takes one."""
    order, user = pending_order(), factories.user("stella", is_staff=True)
    mark_paid(order_id=order.pk, amount=TOTAL, reference="", user=user)
    request(RefundRequest(order.pk, user, amount=TOTAL))
    for model, table in ((Payment, "payments_payment"), (Refund, "payments_refund")):
        model.objects.update(**dict.fromkeys(LISTED[table][1], "x"), user=order.user, **KEY, key_owner="user:1")
    return Order.objects.get(pk=order.pk)


def texts(model: type[models.Model], table: str) -> set[Any]:
    """The values of the columns that say something about a person."""
    personal, kept, _ = LISTED[table]
    row = model._default_manager.values(*personal, *kept).get()
    return set(row.values())


@pytest.mark.parametrize(("model", "table"), [(Payment, "payments_payment"), (Refund, "payments_refund")])
def test_old_orders_forget_what_people_wrote_about_their_money(order: Order, model: Any, table: str) -> None:
    before = list(MoneyMovement.objects.values())
    anonymize_payments()
    assert "x" in texts(model, table)
    User.objects.get(orders=order).delete()
    with time_machine.travel(timezone.now() + AFTER):
        for _ in range(2):  # a second run changes nothing
            anonymize_payments()
            assert texts(model, table) <= {"", None}
    rows = [{**row, "user_id": None} for row in before]
    assert [{**row, "user_id": None} for row in MoneyMovement.objects.values()] == rows
    assert model.objects.get().amount == TOTAL


@pytest.mark.parametrize("model", [Payment, Refund])
def test_the_keys_of_old_orders_go_without_a_text_too(order: Order, model: Any) -> None:
    model.objects.update(**PAYMENT_TEXTS if model is Payment else REFUND_TEXTS)
    with time_machine.travel(timezone.now() + AFTER):
        anonymize_payments()
    assert set(model.objects.values_list("key_owner", "idempotency_key", "fingerprint")) == {("", None, "")}


def test_the_keys_of_closed_accounts_go_the_next_day(order: Order) -> None:
    anonymize_payments()
    assert set(Payment.objects.values_list("idempotency_key", flat=True)) == {"key-of-carla"}
    User.objects.get(orders=order).delete()
    anonymize_payments()
    for model in (Payment, Refund):
        row = model.objects.get()
        assert (row.idempotency_key, row.key_owner, row.fingerprint, row.user) == (None, "", "", None)
        assert row.error == "x"  # until KEEP_ORDERS_YEARS are over


def test_the_keys_of_guests_go_with_the_guest(order: Order, with_guests: None) -> None:
    Payment.objects.update(key_owner="guest:7", user=None)
    anonymize_payments()
    assert Payment.objects.get().idempotency_key is None


def test_a_pending_payment_is_left_alone(order: Order) -> None:
    Payment.objects.update(status="pending")
    with time_machine.travel(timezone.now() + AFTER):
        anonymize_payments()
    assert Payment.objects.get().redirect_url == "x"

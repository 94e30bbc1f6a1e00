"""What is measured of payments: each gauge is 0 in a good shop, and rises with what it measures."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from orders.models import Order
from payments import watching
from payments.models import ProviderEvent, Refund
from productbackend.observability.metrics import gauges
from tests.payments.books import Books
from tests.payments.paying import paid_order, pending_order

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def test_a_good_shop_has_nothing_that_waits(books: Books) -> None:
    paid_order(books)
    pending_order()
    for name in (name for name in gauges.GAUGES if "refund" in name or "payment" in name or "overdue" in name):
        assert gauges.read(name) == 0, name


def test_a_refund_waits_until_its_provider_has_it(books: Books) -> None:
    order, payment = paid_order(books)
    refund = Refund.objects.create(order=order, payment=payment, amount=Decimal("1.00"), due_at=timezone.now())
    rows = Refund.objects.filter(pk=refund.pk)
    rows.update(created_at=timezone.now() - 2 * HOUR)
    assert gauges.read("productbackend_refund_oldest_unsent_seconds") == pytest.approx(7200, abs=20)
    rows.update(due_at=None)  # a bank transfer that staff have to send
    assert watching.oldest_unsent_refund_seconds() == 0
    rows.update(due_at=timezone.now(), reference="re_1")  # the provider has it, and has not done it yet
    assert watching.oldest_unsent_refund_seconds() == 0
    rows.update(reference=None, status="failed")
    assert watching.oldest_unsent_refund_seconds() == 0


def test_failed_refunds_wait_for_staff(books: Books) -> None:
    order, payment = paid_order(books)
    Refund.objects.create(order=order, payment=payment, amount=Decimal("1.00"), status="failed")
    assert gauges.read("productbackend_refunds_failed") == 1
    Refund.objects.update(resolved_at=timezone.now())
    assert gauges.read("productbackend_refunds_failed") == 0


def test_failed_refunds_are_counted_by_an_index(books: Books) -> None:
    """Of a shop that has made millions of refunds, those alone are read that wait."""
    plan = watching.unresolved_refunds().explain()
    assert "refund_status" in plan or connection.vendor != "sqlite"


def test_an_order_is_overdue_after_its_time(books: Books) -> None:
    order = pending_order()
    Order.objects.filter(pk=order.pk).update(expires_at=timezone.now() - HOUR)
    assert gauges.read("productbackend_order_oldest_overdue_seconds") == pytest.approx(3600, abs=20)
    Order.objects.filter(pk=order.pk).update(status="expired")
    assert gauges.read("productbackend_order_oldest_overdue_seconds") == 0


@pytest.mark.parametrize(
    ("fields", "waited"),
    [
        ({"due_at": -HOUR}, 3600),
        ({"due_at": HOUR}, 0),  # is looked at again later
        ({"due_at": None}, 0),  # was given up
        ({"due_at": -HOUR, "processed_at": -HOUR}, 0),
    ],
)
def test_an_event_waits_from_when_it_is_due(fields: dict[str, Any], waited: float) -> None:
    times = {name: delta and timezone.now() + delta for name, delta in fields.items()}
    ProviderEvent.objects.create(provider="books", event_id="1", reference="pay_1", **times)
    assert gauges.read("productbackend_payment_event_oldest_due_seconds") == pytest.approx(waited, abs=20)

"""What is measured of payments, for alerts: each gauge is one value for the whole shop."""

from datetime import datetime

from django.db.models import Min, QuerySet
from django.utils import timezone

from orders.models import Order
from payments import differences, verifying
from payments.models import ProviderEvent, Refund
from productbackend.observability.metrics import gauges


def oldest_unsent_refund_seconds() -> float:
    """The age of the oldest refund that its provider does not have; 0 if there is none.

    One by bank transfer that waits for staff is none: they see it on its page.
    """
    unsent = Refund.objects.filter(status=Refund.Status.PENDING, reference=None, due_at__isnull=False)
    return _seconds_since(unsent.aggregate(oldest=Min("created_at"))["oldest"])


def unresolved_refunds() -> QuerySet[Refund]:
    """The refunds that have failed, and were neither sent again nor put aside."""
    return Refund.objects.filter(status=Refund.Status.FAILED, resolved_at=None)


def failed_refunds() -> float:
    """How many refunds have failed and wait for staff."""
    return unresolved_refunds().count()


def oldest_overdue_order_seconds() -> float:
    """For how long the order that should have expired first has been pending since; 0 if there is none."""
    pending = Order.objects.filter(status=Order.Status.PENDING, expires_at__isnull=False)
    return _seconds_since(pending.aggregate(first=Min("expires_at"))["first"])


def oldest_due_event_seconds() -> float:
    """How long the event that is due first has waited for a worker; 0 if there is none."""
    due = ProviderEvent.objects.filter(processed_at=None, due_at__isnull=False)
    return _seconds_since(due.aggregate(first=Min("due_at"))["first"])


def register() -> None:
    """Register the gauges."""
    gauges.register(
        "productbackend_payment_drift_orders",
        "Orders that differ from their payments, refunds, movements of money or stock, by the last check.",
        verifying.drift,
    )
    gauges.register(
        "productbackend_payment_check_timestamp_seconds",
        "The time of the last complete check of all orders' money; 0 for never.",
        verifying.checked_at,
    )
    gauges.register(
        "productbackend_payment_provider_differences",
        "Payments about which the ledger and a provider's books differ.",
        differences.provider_count,
    )
    gauges.register(
        "productbackend_refund_oldest_unsent_seconds",
        "The age of the oldest refund that its provider does not have; 0 if there is none.",
        oldest_unsent_refund_seconds,
    )
    gauges.register("productbackend_refunds_failed", "Refunds that failed and wait for staff.", failed_refunds)
    gauges.register(
        "productbackend_order_oldest_overdue_seconds",
        "For how long an order has been pending since it should have expired; 0 if there is none.",
        oldest_overdue_order_seconds,
    )
    gauges.register(
        "productbackend_payment_event_oldest_due_seconds",
        "How long the oldest due event of a payment provider has waited for a worker; 0 if there is none.",
        oldest_due_event_seconds,
        waiting="payment provider's event",
        alert="PaymentEventsWaiting",
    )


def _seconds_since(time: datetime | None) -> float:
    return max(0.0, (timezone.now() - time).total_seconds()) if time else 0.0

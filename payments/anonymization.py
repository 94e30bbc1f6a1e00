"""Removes personal data from payments and refunds: with the accounts that are closed, and with old orders."""

from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from orders.anonymization import YEAR
from payments.models import Payment, Refund
from productbackend.database.transactions import in_slices

NO_KEY: dict[str, Any] = {"idempotency_key": None, "key_owner": "", "fingerprint": ""}
# What people wrote, and what leads to the customer at the provider. Amounts and references stay, as the books do.
PAYMENT_TEXTS = dict.fromkeys(["client_secret", "redirect_url", "return_url", "note", "error"], "")
REFUND_TEXTS = dict.fromkeys(["reason", "error"], "")


def anonymize_closed() -> int:
    """Remove the idempotency keys of accounts that are closed and of guests who are removed; return how many."""
    gone = Q(key_owner__startswith="user:", user=None) | Q(key_owner__startswith="guest:", order__guest=None)
    total = 0
    for rows in (Payment.objects.filter(gone), Refund.objects.filter(gone)):
        total += sum(slice_.update(**NO_KEY) for slice_ in in_slices(rows))
    return total


def anonymize_old() -> int:
    """Remove what people wrote from the payments of orders older than KEEP_ORDERS_YEARS, in slices; return how many.

    Of payments that are settled: one that is pending still needs what leads to its provider.
    """
    before = timezone.now() - settings.KEEP_ORDERS_YEARS * YEAR
    payments = Payment.objects.filter(order__created_at__lt=before).exclude(status=Payment.Status.PENDING)
    refunds = Refund.objects.filter(order__created_at__lt=before)
    total = 0
    for rows, texts in ((payments, PAYMENT_TEXTS | NO_KEY), (refunds, REFUND_TEXTS | NO_KEY)):
        total += sum(slice_.update(**texts) for slice_ in in_slices(rows.exclude(**texts)))
    return total

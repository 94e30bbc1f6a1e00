"""Payments: attempts to pay an order, the ledger of money, and refunds."""

import uuid

from django.conf import settings
from django.db import models

from productbackend.database.fields import KeyField
from productbackend.database.verification import Verification


def new_key() -> str:
    """A random key that names an attempt or a refund at its provider."""
    return uuid.uuid4().hex


class Payment(models.Model):
    """One attempt to pay an order by one method.

    It is a row before the provider is called. `settling.settle` alone changes its status afterwards.
    """

    class Status(models.TextChoices):
        PENDING = "pending"
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        CANCELLED = "cancelled"

    order = models.ForeignKey("orders.Order", models.PROTECT, related_name="payments")
    method = KeyField(max_length=20)  # the code of its provider
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    # `order id:method` while pending, else null: one open attempt an order and method.
    open_key = KeyField(max_length=60, unique=True, null=True, blank=True, editable=False)
    # The idempotency key of the provider's calls, and our name of the attempt in its books.
    key = KeyField(max_length=32, unique=True, default=new_key, editable=False)
    reference = KeyField(max_length=255, null=True, blank=True)  # the provider's id; null until it was started
    amount = models.DecimalField(max_digits=20, decimal_places=2)
    currency = models.CharField(max_length=3)
    client_secret = models.CharField(max_length=255, blank=True, default="")
    redirect_url = models.CharField(max_length=2_000, blank=True, default="")
    return_url = models.CharField(max_length=2_000, blank=True, default="")
    note = models.CharField(max_length=200, blank=True, default="")  # what staff wrote who marked it as paid
    error = models.CharField(max_length=500, blank=True, default="")  # what the provider said last
    # Who started it: as in an order, for a repeated request.
    key_owner = KeyField(max_length=30, blank=True, default="", editable=False)
    idempotency_key = KeyField(max_length=255, null=True, blank=True)
    fingerprint = models.CharField(max_length=64, blank=True, default="")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    cancel_requested_at = models.DateTimeField(null=True, blank=True)  # the sweep cancels it at the provider
    claimed_at = models.DateTimeField(null=True, blank=True)  # a worker is calling the provider
    checked_at = models.DateTimeField(null=True, blank=True)  # when the provider was asked last
    due_at = models.DateTimeField(null=True, blank=True)  # when the sweep asks again; null: never
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["due_at"], name="payment_due"),
            models.Index(fields=["status", "created_at"], name="payment_status_created"),
            models.Index(fields=["created_at"], name="payment_created"),  # to list those of a day
        ]
        constraints = [
            models.UniqueConstraint(fields=["method", "reference"], name="payment_reference_once"),
            models.UniqueConstraint(fields=["key_owner", "idempotency_key"], name="payment_owner_key_once"),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.amount} {self.currency}"


class Refund(models.Model):
    """Money that goes back by the way it came.

    It is a row before the provider is called. `settling.settle` adds its movement.
    """

    class Status(models.TextChoices):
        PENDING = "pending"
        DONE = "done"
        FAILED = "failed"  # also after it was done: banks send money back

    payment = models.ForeignKey(Payment, models.PROTECT, related_name="refunds")
    order = models.ForeignKey("orders.Order", models.PROTECT, related_name="refunds")
    amount = models.DecimalField(max_digits=20, decimal_places=2)
    delivery = models.BooleanField(default=False)  # whether the delivery's price is in it
    reason = models.CharField(max_length=500, blank=True, default="")
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    error = models.CharField(max_length=500, blank=True, default="")  # why the provider refused it, or it came back
    # What causes a refund by itself, once: `cancelled:ORDER`, `late:PAYMENT`, `second:PAYMENT`; null for others.
    cause = KeyField(max_length=60, unique=True, null=True, blank=True)
    key = KeyField(max_length=32, unique=True, default=new_key, editable=False)  # the provider's idempotency key
    reference = KeyField(max_length=255, null=True, blank=True)  # the provider's id; null until it is known
    key_owner = KeyField(max_length=30, blank=True, default="", editable=False)
    idempotency_key = KeyField(max_length=255, null=True, blank=True)
    fingerprint = models.CharField(max_length=64, blank=True, default="")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    attempts = models.PositiveIntegerField(default=0)
    claimed_at = models.DateTimeField(null=True, blank=True)  # a worker is calling the provider
    due_at = models.DateTimeField(null=True, blank=True)  # when the sweep sends or asks again; null: never
    resolved_at = models.DateTimeField(null=True, blank=True)  # if it failed: when staff sent it again, or put it aside
    put_aside = models.BooleanField(default=False, db_default=False)  # the customer got its money in another way
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["due_at"], name="refund_due"),
            models.Index(fields=["status", "resolved_at"], name="refund_status"),
        ]
        constraints = [models.UniqueConstraint(fields=["key_owner", "idempotency_key"], name="refund_owner_key_once")]

    def __str__(self) -> str:
        return f"{self.amount} {self.status}"


class RefundLine(models.Model):
    """Pieces of an order's line that a refund pays back."""

    refund = models.ForeignKey(Refund, models.CASCADE, related_name="lines")
    line = models.ForeignKey("orders.OrderLine", models.CASCADE, related_name="refunds")
    quantity = models.PositiveIntegerField()
    # What these pieces were of the line's total: the last pieces of a line take what is left of it.
    amount = models.DecimalField(max_digits=20, decimal_places=2, default=0, db_default=0)
    restock = models.BooleanField(default=False)  # whether they went back in stock

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.quantity} of line {self.line_id}"


class MoneyMovement(models.Model):
    """One movement of money, as the provider's books have it. Rows are only added."""

    class Kind(models.TextChoices):
        CAPTURE = "capture"
        REFUND = "refund"
        REFUND_REVERSAL = "refund_reversal"  # a refund that was done has failed: its money is back
        CHARGEBACK = "chargeback"
        CHARGEBACK_REVERSAL = "chargeback_reversal"

    payment = models.ForeignKey(Payment, models.PROTECT, related_name="movements")
    order = models.ForeignKey("orders.Order", models.PROTECT, related_name="movements")
    refund = models.ForeignKey(Refund, models.PROTECT, null=True, blank=True, related_name="movements")
    kind = models.CharField(max_length=20, choices=Kind)
    amount = models.DecimalField(max_digits=20, decimal_places=2)  # positive: the kind says the direction
    currency = models.CharField(max_length=3)
    provider = KeyField(max_length=20)
    reference = KeyField(max_length=255)  # the provider's own id of the movement
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    occurred_at = models.DateTimeField()  # by the provider's clock
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["kind"], name="movement_kind")]  # to list those of a kind that few have
        constraints = [models.UniqueConstraint(fields=["provider", "reference"], name="movement_reference_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount} {self.currency}"


class ProviderEvent(models.Model):
    """A provider's event: a hint that a worker should ask how a payment stands. Its body is not stored."""

    provider = KeyField(max_length=20)
    event_id = KeyField(max_length=255)
    kind = models.CharField(max_length=100, blank=True, default="")
    reference = KeyField(max_length=255, blank=True, default="")  # the payment's, at the provider; empty: none of ours
    processed_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)  # when the sweep looks again; null: never
    attempts = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["due_at"], name="provider_event_due"),
            models.Index(fields=["created_at"], name="provider_event_created"),
            models.Index(fields=["reference"], name="provider_event_reference"),  # to search
        ]
        constraints = [models.UniqueConstraint(fields=["provider", "event_id"], name="provider_event_once")]

    def __str__(self) -> str:
        return f"{self.provider} {self.event_id}"


class PaymentCheck(Verification):
    """The check of all orders' money and stock: payments.verifying."""


class Difference(models.Model):
    """What is wrong with money until the next check finds it correct, and staff see it with what to do."""

    class Kind(models.TextChoices):
        ORDER = "order"  # the shop's own books contradict each other: payments.verifying
        UNKNOWN_MONEY = "unknown_money"  # the provider has money of a payment that the shop does not know
        UNKNOWN_PAYMENT = "unknown_payment"  # the provider does not know a payment that the shop has started
        BOOKS = "books"  # the provider's books and the ledger differ about a payment

    # `order:ID`, or a payment as `provider:PROVIDER:REFERENCE`.
    key = KeyField(max_length=300, unique=True)
    kind = models.CharField(max_length=20, choices=Kind)
    order = models.ForeignKey("orders.Order", models.CASCADE, null=True, related_name="+")
    text = models.CharField(max_length=1_000)
    amount = models.DecimalField(max_digits=20, decimal_places=2, null=True)  # null if it is not one amount
    currency = models.CharField(max_length=3, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.text

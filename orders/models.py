"""What was bought, frozen."""

from decimal import Decimal

from django.conf import settings
from django.db import models
from django.utils.functional import cached_property

from productbackend.fields import KeyField


class Order(models.Model):
    """One checkout: its lines and its total as they were paid."""

    class Status(models.TextChoices):
        PAID = "paid"
        FULFILLED = "fulfilled"
        CANCELLED = "cancelled"

    number = KeyField(max_length=20, unique=True)
    # Null after the account was closed: the order stays for the books.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="orders", db_index=False
    )
    # The cart that it was made from and that is gone: one cart, one order.
    cart_id = models.BigIntegerField(unique=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.PAID)
    total = models.DecimalField(max_digits=20, decimal_places=2)
    currency = models.CharField(max_length=3)
    # Who checked out: the owner, or staff for them. Idempotency keys are this user's own.
    placed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    idempotency_key = KeyField(max_length=255, null=True, blank=True)
    fingerprint = models.CharField(max_length=64, blank=True)  # SHA-256 of the request that bore the key
    # The cart as PUT and PATCH answered it, for a replay of that request; null for others.
    cart_snapshot = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["created_at"], name="order_created"),
            models.Index(fields=["total"], name="order_total"),
            models.Index(fields=["user", "created_at"], name="order_user_created"),
            models.Index(fields=["status", "created_at"], name="order_status_created"),
        ]
        constraints = [models.UniqueConstraint(fields=["placed_by", "idempotency_key"], name="order_key_once")]

    def __str__(self) -> str:
        return self.number

    @cached_property
    def items(self) -> list["OrderLine"]:
        """The order's lines: those just written, or read once."""
        return list(self.lines.all())


class OrderLine(models.Model):
    """One product in an order, as it was named and priced then."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="lines")
    product = models.ForeignKey("products.Product", models.SET_NULL, null=True, blank=True, related_name="+")
    sku = models.CharField("SKU", max_length=64)
    name = models.CharField(max_length=200)
    unit_price = models.DecimalField(max_digits=10, decimal_places=2)
    quantity = models.PositiveIntegerField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.name}"

    @property
    def line_total(self) -> Decimal:
        return self.unit_price * self.quantity


class OrderChange(models.Model):
    """One step in an order's life: what it became, when, and who made it so."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="changes")
    status = models.CharField(max_length=10, choices=Order.Status)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.status} {self.created_at:%Y-%m-%d %H:%M}"

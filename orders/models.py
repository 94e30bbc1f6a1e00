"""Orders: the products, names and prices as they were bought."""

from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.functional import cached_property

from orders.amounts import ZERO, Amounts, Charge, amounts
from productbackend.database.fields import KEY_LENGTH, KeyField, TextMapField
from productbackend.database.postal_addresses import PostalAddressColumns
from productbackend.database.verification import Verification


class Order(models.Model):
    """One checkout, with its lines, amounts and addresses as they were then."""

    class Status(models.TextChoices):
        PENDING = "pending"  # waits for money; its stock is held until `expires_at`
        PAID = "paid"
        FULFILLED = "fulfilled"
        CANCELLED = "cancelled"
        EXPIRED = "expired"  # was not paid in time; its stock went back

    number = KeyField(max_length=20, unique=True)
    # Null after the account was closed: the order stays for the accounts.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="orders", db_index=False
    )
    # Null for a user's order. A guest with orders is not deleted.
    guest = models.ForeignKey(
        "accounts.Guest", models.SET_NULL, null=True, blank=True, related_name="orders", db_index=False
    )
    # How to reach the customer about this order.
    email = KeyField("e-mail address", max_length=254, blank=True, default="", db_default="")
    phone = models.CharField(max_length=40, blank=True, default="", db_default="")
    note = models.CharField(max_length=2_000, blank=True, default="", db_default="")
    shipping_address = PostalAddressColumns("shipping_")
    billing_address = PostalAddressColumns("billing_")  # None: the shipping address
    name_key = KeyField(max_length=KEY_LENGTH, blank=True, default="", db_default="", editable=False)  # the recipient's
    # The id of its deleted cart. Unique: one cart makes one order.
    cart_id = models.BigIntegerField(unique=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.PAID)
    # What is paid: lines, delivery, and the tax if prices do not include it.
    total = models.DecimalField(max_digits=20, decimal_places=2)
    tax = models.DecimalField(max_digits=20, decimal_places=2, default=ZERO, db_default=ZERO)
    prices_include_tax = models.BooleanField(default=True, db_default=True)
    # The method as it was at checkout; empty if there is none.
    delivery_code = KeyField(max_length=50, blank=True, default="", db_default="")
    delivery_name = models.CharField(max_length=200, blank=True, default="", db_default="")
    delivery_price = models.DecimalField(max_digits=10, decimal_places=2, default=ZERO, db_default=ZERO)
    delivery_tax_rate = models.DecimalField(max_digits=7, decimal_places=4, null=True)
    tracking_carrier = models.CharField(max_length=100, blank=True, default="", db_default="")
    tracking_number = models.CharField(max_length=100, blank=True, default="", db_default="")
    tracking_url = models.CharField(max_length=500, blank=True, default="", db_default="")
    currency = models.CharField(max_length=3)
    # The user who checked out: the owner, or staff on their behalf; null if a guest did.
    placed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    # Whose key it is, such as user:7 or guest:7. Not null: the database would treat two keys without an owner as
    # distinct.
    key_owner = KeyField(max_length=30, blank=True, default="", db_default="", editable=False)
    idempotency_key = KeyField(max_length=255, null=True, blank=True)
    fingerprint = models.CharField(max_length=64, blank=True)  # SHA-256 of the request with the key
    # The cart in the response of PUT and PATCH, for a replay of that request; null for other requests.
    cart_snapshot = models.JSONField(null=True, blank=True)
    paid_at = models.DateTimeField(null=True, blank=True)  # null in orders from before it was stored
    expires_at = models.DateTimeField(null=True, blank=True)  # null unless pending
    refunded = models.DecimalField(max_digits=20, decimal_places=2, default=ZERO, db_default=ZERO)  # only what is done
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True, db_default=Now())

    class Meta:
        ordering = ["-created_at", "-id"]
        # For the accounts: files of orders, without the pages of orders.
        permissions = [("export_order", "Can export orders")]
        indexes = [
            models.Index(fields=["created_at"], name="order_created"),
            models.Index(fields=["total"], name="order_total"),
            models.Index(fields=["user", "created_at"], name="order_user_created"),
            models.Index(fields=["guest", "created_at"], name="order_guest_created"),
            models.Index(fields=["email", "created_at"], name="order_email_created"),
            models.Index(fields=["status", "created_at"], name="order_status_created"),
            models.Index(fields=["updated_at"], name="order_updated"),
            models.Index(fields=["name_key", "created_at"], name="order_name_created"),
            models.Index(fields=["expires_at"], name="order_expires"),
        ]
        constraints = [models.UniqueConstraint(fields=["key_owner", "idempotency_key"], name="order_owner_key_once")]

    def __str__(self) -> str:
        return self.number

    @cached_property
    def items(self) -> list["OrderLine"]:
        """The order's lines: cached when written, or read once."""
        return list(self.lines.all())

    @cached_property
    def amounts(self) -> Amounts:
        """The amounts, computed from what was frozen at checkout."""
        delivery = Charge(self.delivery_price, self.delivery_tax_rate) if self.delivery_code else None
        lines = [Charge(line.line_total, line.tax_rate) for line in self.items]
        return amounts(lines, delivery, prices_include_tax=self.prices_include_tax)


# The statuses of orders that count as sales.
SOLD = (Order.Status.PAID, Order.Status.FULFILLED)


class OrderLine(models.Model):
    """One product in an order, with its name and price at checkout."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="lines")
    product = models.ForeignKey("products.Product", models.SET_NULL, null=True, blank=True, related_name="+")
    sku = models.CharField("SKU", max_length=64)
    slug = models.CharField(max_length=220, blank=True, default="", db_default="")
    name = models.CharField(max_length=200)
    unit_price = models.DecimalField(max_digits=10, decimal_places=2)
    quantity = models.PositiveIntegerField()
    options = TextMapField()  # axis -> value, of a product of a family
    tax_rate = models.DecimalField(max_digits=7, decimal_places=4, null=True)  # percent; null if no rate fitted
    tax = models.DecimalField(max_digits=20, decimal_places=2, default=ZERO, db_default=ZERO)
    restocked = models.PositiveIntegerField(default=0, db_default=0)  # pieces that refunds have put back in stock

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["sku", "order"], name="order_line_sku")]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.name}"

    @property
    def options_text(self) -> str:
        """Such as `Size: M, Colour: Red`; empty without options."""
        return ", ".join(f"{axis}: {value}" for axis, value in self.options.items())

    @property
    def line_total(self) -> Decimal:
        return self.unit_price * self.quantity

    @property
    def to_pack(self) -> int:
        """Its pieces for the packing slip. What was put back in stock before the order is sent is not packed."""
        return self.quantity - self.restocked if self.order.status == Order.Status.PAID else self.quantity


class OrderChange(models.Model):
    """One change of an order's status: when, and by whom."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="changes")
    status = models.CharField(max_length=10, choices=Order.Status)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.status} {self.created_at:%Y-%m-%d %H:%M}"


class OrderNote(models.Model):
    """What a member of staff wrote about an order, for other staff."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="notes")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    text = models.CharField("note", max_length=2_000)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.created_at:%Y-%m-%d %H:%M}"


class OrderCheck(Verification):
    """The check of all orders' amounts: orders.verifying."""

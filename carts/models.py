"""Carts and their items."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models, transaction
from django.utils.functional import cached_property

from delivery.models import DeliveryMethod
from productbackend.database.fields import KeyField
from productbackend.database.postal_addresses import PostalAddressColumns
from productbackend.text.addresses import validate_address
from products.models import Product
from taxes.models import TaxRate

if TYPE_CHECKING:
    from accounts.models import User
    from carts.pricing import Quote


class CartManager(models.Manager["Cart"]):
    """Reads with each cart whether the shop has delivery methods and tax rates: without them nothing more is read."""

    def get_queryset(self) -> models.QuerySet["Cart"]:
        return (
            super()
            .get_queryset()
            .annotate(
                has_delivery=models.Exists(DeliveryMethod.objects.filter(is_active=True)),
                has_taxes=models.Exists(TaxRate.objects.all()),
            )
        )


class Cart(models.Model):
    """The one cart of a user or a guest. Checkout deletes it."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="cart")
    guest = models.OneToOneField(
        "accounts.Guest", models.CASCADE, null=True, blank=True, related_name="cart", editable=False
    )
    # How to reach the customer about the order. A user's own address if empty.
    email = KeyField(
        "e-mail address", max_length=254, blank=True, default="", db_default="", validators=[validate_address]
    )
    phone = models.CharField(max_length=40, blank=True, default="", db_default="")
    note = models.CharField(max_length=2_000, blank=True, default="", db_default="")
    shipping_address = PostalAddressColumns("shipping_")
    billing_address = PostalAddressColumns("billing_")  # None: the shipping address
    # The code of the chosen method, which may have been deleted since; empty if none is chosen.
    delivery_method = KeyField(max_length=50, blank=True, default="", db_default="")
    # A command, not a state: saving it as true checks the cart out, and no stored cart has it true.
    completed = models.BooleanField(default=False, help_text="Checks the cart out: an order is made of it.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    # The user who checks it out by saving it; None for the owner. Not a column: checkout deletes the cart.
    completed_by: "User | None" = None
    # What it costs, by `carts.pricing`; None until that has computed it.
    quote: "Quote | None" = None

    objects = CartManager()

    class Meta:
        ordering = ["created_at", "id"]
        indexes = [
            models.Index(fields=["created_at"], name="cart_created"),
            models.Index(fields=["updated_at"], name="cart_updated"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(user__isnull=True, guest__isnull=False)
                | models.Q(user__isnull=False, guest__isnull=True),
                name="cart_one_owner",
                violation_error_message="A cart belongs to a user or to a guest.",
            )
        ]

    def __str__(self) -> str:
        return f"cart {self.pk}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        # Checkout deletes the cart: saving a stale instance must fail, not insert it again.
        if not self._state.adding and not kwargs.get("force_insert"):
            kwargs["force_update"] = True
        # Django sends post_save outside of save's transaction: without this one, a shortage
        # found there would leave `completed` stored.
        with transaction.atomic():
            super().save(*args, **kwargs)

    @property
    def contact_email(self) -> str | None:
        """The address for the order: the cart's own, or else the account's; None if there is none."""
        return self.email or (self.user.email if self.user else None)

    @cached_property
    def lines(self) -> list["CartItem"]:
        """The cart's items, read once."""
        return list(self.items.all())

    @property
    def count(self) -> int:
        """The number of pieces, not of lines."""
        return sum(item.quantity for item in self.lines)

    @property
    def total(self) -> Decimal:
        """The total at current prices; a deleted product counts as 0."""
        return sum((item.line_total or Decimal(0) for item in self.lines), Decimal("0.00"))


class CartItem(models.Model):
    """One product in a cart, at its current price."""

    cart = models.ForeignKey(Cart, models.CASCADE, related_name="items")
    # Null if the product was deleted: the item stays, with its name.
    product = models.ForeignKey(Product, models.SET_NULL, null=True, related_name="+")
    product_name = models.CharField(max_length=200, blank=True, editable=False)
    quantity = models.PositiveIntegerField(validators=[MinValueValidator(1)])

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(quantity__gte=1), name="cart_item_quantity_range"),
            # Items of deleted products have NULL, which the database treats as distinct.
            models.UniqueConstraint(
                fields=["cart", "product"],
                name="cart_item_once",
                violation_error_message="The cart has this product already: change the quantity of its item.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.name}"

    @property
    def name(self) -> str:
        """The product's name; if it was deleted, its last name in the cart."""
        return self.product.name if self.product else self.product_name

    @property
    def unit_price(self) -> Decimal | None:
        return self.product.price if self.product else None

    @property
    def line_total(self) -> Decimal | None:
        return self.product.price * self.quantity if self.product else None

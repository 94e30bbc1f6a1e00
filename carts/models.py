"""What a customer means to buy."""

from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models, transaction

from products.models import Product


class Cart(models.Model):
    """A user's one cart. It goes when it becomes an order."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="cart")
    # A door and not a state: saving it true checks out, and no cart with it true is left.
    completed = models.BooleanField(default=False, help_text="Checks the cart out: an order is made of it.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    # Who checks it out by saving it; None for the owner. Not a column, for such a cart is gone at once.
    completed_by: Any = None

    class Meta:
        ordering = ["created_at", "id"]
        indexes = [
            models.Index(fields=["created_at"], name="cart_created"),
            models.Index(fields=["updated_at"], name="cart_updated"),
        ]

    def __str__(self) -> str:
        return f"cart {self.pk}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        # A cart that was checked out is gone: saving a stale instance must fail, not insert it again.
        if not self._state.adding and not kwargs.get("force_insert"):
            kwargs["force_update"] = True
        # Django sends post_save outside of save's own transaction: without this one, a shortage
        # found there would leave `completed` behind.
        with transaction.atomic():
            super().save(*args, **kwargs)

    @property
    def count(self) -> int:
        """Pieces, not lines."""
        return sum(item.quantity for item in self.items.all())

    @property
    def total(self) -> Decimal:
        """At today's prices; a deleted product adds nothing."""
        return sum((item.line_total or Decimal(0) for item in self.items.all()), Decimal("0.00"))


class CartItem(models.Model):
    """One product in a cart, at whatever price it has when it is looked at."""

    cart = models.ForeignKey(Cart, models.CASCADE, related_name="items")
    # Null when the product was deleted: the item stays, under its name.
    product = models.ForeignKey(Product, models.SET_NULL, null=True, related_name="+")
    product_name = models.CharField(max_length=200, blank=True, editable=False)
    quantity = models.PositiveIntegerField(validators=[MinValueValidator(1)])

    class Meta:
        ordering = ["id"]
        constraints = [models.CheckConstraint(condition=models.Q(quantity__gte=1), name="cart_item_quantity_range")]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.name}"

    @property
    def name(self) -> str:
        """The product's name; where it was deleted, the name that it had in the cart."""
        return self.product.name if self.product else self.product_name

    @property
    def unit_price(self) -> Decimal | None:
        return self.product.price if self.product else None

    @property
    def line_total(self) -> Decimal | None:
        return self.product.price * self.quantity if self.product else None

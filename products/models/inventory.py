"""The ledger of the stock."""

from django.conf import settings
from django.db import models

from productbackend.database.verification import Verification
from products.models.product import Product


class StockMovement(models.Model):
    """One change of one product's quantity. Rows are only added, and not changed.

    For every product `quantity == sum(delta)`; `manage.py check_stock` verifies it.
    """

    class Reason(models.TextChoices):
        INITIAL = "initial"
        SALE = "sale"
        RESTOCK = "restock"
        CORRECTION = "correction"

    product = models.ForeignKey(Product, models.SET_NULL, null=True, related_name="movements")
    sku = models.CharField("SKU", max_length=64)  # remains after the product is deleted
    delta = models.IntegerField()
    reason = models.CharField(max_length=10, choices=Reason)
    # The number, not a foreign key: this app does not depend on orders.
    order_number = models.CharField(max_length=20, blank=True, db_index=True)
    note = models.CharField(max_length=200, blank=True, default="", db_default="")  # of staff
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        # A covering index for the sum of a product's movements. MySQL uses it for the foreign key too.
        indexes = [
            models.Index(fields=["product", "delta"], name="movement_product_delta"),
            models.Index(fields=["sku"], name="movement_sku"),  # to search: a product may have had another SKU
            models.Index(fields=["reason"], name="movement_reason"),  # to list those of a reason that few have
        ]

    def __str__(self) -> str:
        return f"{self.delta:+d} {self.sku}"


class StockCheck(Verification):
    """The check of the stock ledger: products.inventory.ledger."""

    # The columns have the names of the first releases, which still read them during an upgrade.
    checked = models.PositiveIntegerField(default=0, db_column="products")
    last_pk = models.BigIntegerField(default=0, db_column="last_product")
    checked_so_far = models.PositiveIntegerField(default=0, db_column="products_so_far")

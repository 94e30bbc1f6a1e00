"""Rollups of sales by day, from which the home page reads what happened on the days before."""

from django.db import models

from productbackend.database.verification import Verification
from products.models import Product


class SalesDay(models.Model):
    """What was sold on one day of the shop: backoffice.dashboard.rollups."""

    day = models.DateField(primary_key=True)
    # The currency and the time zone that it was computed with; empty until it was computed.
    basis = models.CharField(max_length=80, blank=True, default="")
    orders = models.PositiveIntegerField(default=0)
    revenue = models.DecimalField(max_digits=20, decimal_places=2, default=0)
    pieces = models.BigIntegerField(default=0)
    rolled_at = models.DateTimeField(null=True)  # when its orders were read

    class Meta:
        ordering = ["day"]

    def __str__(self) -> str:
        return f"{self.day}"


class ProductSalesDay(models.Model):
    """How many pieces of a product were sold on one day."""

    day = models.DateField()
    # No constraint: it would lock products, and so delay checkouts, while a day is written.
    product = models.ForeignKey(Product, models.CASCADE, related_name="+", db_constraint=False)
    pieces = models.BigIntegerField()

    class Meta:
        # A covering index, for the sum over days.
        indexes = [models.Index(fields=["day", "product", "pieces"], name="product_sales_day")]

    def __str__(self) -> str:
        return f"{self.pieces} of product {self.product_id} on {self.day}"


class SalesProgress(models.Model):
    """Until when changes of orders are in the rollups, and what sold best by them: a single row."""

    until = models.DateTimeField()
    # The ids of the products of which most pieces were sold, and how many pieces the last of them had.
    best = models.JSONField(default=list)
    least = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.until}"


class SalesCheck(Verification):
    """The check of the rollups: backoffice.dashboard.verification."""

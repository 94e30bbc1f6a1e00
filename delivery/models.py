"""Delivery methods."""

from decimal import Decimal
from typing import Any

from django.core.validators import MinValueValidator, RegexValidator
from django.db import models

from productbackend.database import recorded
from productbackend.database.fields import KeyField
from products.models import STANDARD_TAX_CLASS

POSITION_MAX = 2**31 - 1
AMOUNT_DIGITS = 15  # as many as SQLite stores exactly
CODE_MAX = 50  # characters
CODE = r"[A-Za-z0-9_-]+"

_NOT_NEGATIVE = [MinValueValidator(Decimal(0))]


class DeliveryMethod(models.Model):
    """A way for an order to reach its customer, with its price and where and for what amounts it is offered."""

    code = KeyField(max_length=CODE_MAX, unique=True, validators=[RegexValidator(rf"\A{CODE}\Z")])
    name = models.CharField(max_length=200)
    description = models.CharField(max_length=2_000, blank=True, default="")
    price = models.DecimalField(max_digits=10, decimal_places=2, default=Decimal("0.00"), validators=_NOT_NEGATIVE)
    # Amounts of goods, inclusive. Null: no limit.
    free_from = models.DecimalField(
        max_digits=AMOUNT_DIGITS, decimal_places=2, null=True, blank=True, validators=_NOT_NEGATIVE
    )
    min_amount = models.DecimalField(
        max_digits=AMOUNT_DIGITS, decimal_places=2, null=True, blank=True, validators=_NOT_NEGATIVE
    )
    max_amount = models.DecimalField(
        max_digits=AMOUNT_DIGITS, decimal_places=2, null=True, blank=True, validators=_NOT_NEGATIVE
    )
    countries = models.JSONField(default=list, blank=True)  # ISO 3166-1 alpha-2; empty: everywhere
    needs_address = models.BooleanField(default=True)
    tax_class = KeyField(max_length=50, default=STANDARD_TAX_CLASS)
    is_active = models.BooleanField(default=True)
    position = models.PositiveIntegerField(default=0)

    objects = recorded.RecordedQuerySet.as_manager()

    class Meta:
        ordering = ["position", "id"]
        constraints = [models.CheckConstraint(condition=models.Q(price__gte=0), name="delivery_price_range")]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        with recorded.atomic(self, kwargs.get("update_fields")):
            super().save(*args, **kwargs)

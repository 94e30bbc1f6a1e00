"""Tax rates by country and class."""

from decimal import Decimal
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from productbackend.database import recorded
from productbackend.database.fields import KeyField
from productbackend.database.postal_addresses import validate_country
from products.models import STANDARD_TAX_CLASS

TAX_CLASS_MAX = 50  # characters
RATE_MAX = Decimal(100)


class TaxRate(models.Model):
    """The rate of a class of goods in a country, from a day on until a later rate begins."""

    country = models.CharField(max_length=2, validators=[validate_country], help_text="ISO 3166-1 alpha-2.")
    tax_class = KeyField(max_length=TAX_CLASS_MAX, default=STANDARD_TAX_CLASS, help_text="A word such as reduced.")
    rate = models.DecimalField(
        max_digits=7,
        decimal_places=4,
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(RATE_MAX)],
        help_text="Percent.",
    )
    valid_from = models.DateField(help_text="The first day, in the shop's time zone.")

    objects = recorded.RecordedQuerySet.as_manager()

    class Meta:
        ordering = ["country", "tax_class", "-valid_from"]
        constraints = [
            models.UniqueConstraint(
                fields=["country", "tax_class", "valid_from"],
                name="tax_rate_once",
                violation_error_message="This class has a rate in that country from that day on already.",
            ),
            models.CheckConstraint(condition=models.Q(rate__gte=0, rate__lte=100), name="tax_rate_range"),
        ]

    def __str__(self) -> str:
        return f"{self.country} {self.tax_class} {self.rate.normalize():f} % from {self.valid_from}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        with recorded.atomic(self, kwargs.get("update_fields")):
            super().save(*args, **kwargs)

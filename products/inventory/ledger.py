"""Verifies the stock ledger: for every product `quantity == sum(delta)`."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import IntegerField, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce

from productbackend.database import verification
from products.models import Product, StockCheck, StockMovement

BATCH = 1_000
SLICE = 20_000  # products that one run of the job checks: about a second of the database's time


@dataclass(frozen=True)
class Balance:
    """A product's quantity and the sum of its movements."""

    pk: int
    sku: str
    quantity: int
    recorded: int

    @property
    def is_correct(self) -> bool:
        return self.quantity == self.recorded

    def __str__(self) -> str:
        amounts = f"the quantity is {self.quantity}, its movements add up to {self.recorded}"
        return f"product {self.pk} ({self.sku}): {amounts}"


def balances(after: int = 0) -> Iterator[Balance]:
    """The balances of the products with a primary key above `after`, in its order, with one batch in memory at a time.

    One statement reads quantity and sum, and so sees both at one moment: concurrent sales cause no false difference.
    """
    movements = StockMovement.objects.filter(product=OuterRef("pk")).order_by().values("product")
    recorded = Coalesce(Subquery(movements.annotate(sum=Sum("delta")).values("sum"), output_field=IntegerField()), 0)
    rows = Product.objects.order_by("pk").annotate(recorded=recorded).values_list("pk", "sku", "quantity", "recorded")
    last = after
    while batch := list(rows.filter(pk__gt=last)[:BATCH]):
        yield from (Balance(*row) for row in batch)
        last = batch[-1][0]


def check_next_slice() -> None:
    """Verify the next slice of the ledger."""
    verification.check_next_slice(StockCheck, balances, SLICE)


def drift() -> int:
    """How many products differ from their movements."""
    return verification.wrong_rows(StockCheck)


def checked_at() -> float:
    """When the last check of all products was completed; 0 for never."""
    return verification.checked_at(StockCheck)

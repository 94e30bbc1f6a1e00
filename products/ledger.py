"""The proof that the stock ledger holds: for every product `quantity == sum(delta)`."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import IntegerField, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce

from products.models import Product, StockMovement

BATCH = 1_000


@dataclass(frozen=True)
class Balance:
    """A product's quantity, and what its movements add up to."""

    product_id: int
    sku: str
    quantity: int
    recorded: int

    @property
    def holds(self) -> bool:
        return self.quantity == self.recorded


def balances() -> Iterator[Balance]:
    """Every product's balance, in primary-key order, a batch in memory at a time.

    Quantity and sum are read by one statement, and so at one moment: a shop that is selling
    meanwhile shows no difference that is not there.
    """
    movements = StockMovement.objects.filter(product=OuterRef("pk")).order_by().values("product")
    recorded = Coalesce(Subquery(movements.annotate(sum=Sum("delta")).values("sum"), output_field=IntegerField()), 0)
    rows = Product.objects.order_by("pk").annotate(recorded=recorded).values_list("pk", "sku", "quantity", "recorded")
    last = 0
    while batch := list(rows.filter(pk__gt=last)[:BATCH]):
        yield from (Balance(*row) for row in batch)
        last = batch[-1][0]

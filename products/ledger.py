"""The proof that the stock ledger holds: for every product `quantity == sum(delta)`."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from django.db.models import IntegerField, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from products.models import Product, StockCheck, StockMovement

logger = logging.getLogger(__name__)

BATCH = 1_000
SLICE = 20_000  # products that one run of the job looks at: a second or so of the database's time
NAMED = 20  # of those that differ, in the log


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


def balances(after: int = 0) -> Iterator[Balance]:
    """Every product's balance, in primary-key order, a batch in memory at a time; those with a key above `after`.

    Quantity and sum are read by one statement, and so at one moment: a shop that is selling
    meanwhile shows no difference that is not there.
    """
    movements = StockMovement.objects.filter(product=OuterRef("pk")).order_by().values("product")
    recorded = Coalesce(Subquery(movements.annotate(sum=Sum("delta")).values("sum"), output_field=IntegerField()), 0)
    rows = Product.objects.order_by("pk").annotate(recorded=recorded).values_list("pk", "sku", "quantity", "recorded")
    last = after
    while batch := list(rows.filter(pk__gt=last)[:BATCH]):
        yield from (Balance(*row) for row in batch)
        last = batch[-1][0]


def check_on() -> None:
    """Prove the next slice of the ledger, from where the last run stopped; at its end begin anew.

    Of two that run at once one is of no effect: both saw the same.
    """
    check, _ = StockCheck.objects.get_or_create(pk=1)
    slice_ = list(islice(balances(after=check.last_product), SLICE))
    wrong = [balance for balance in slice_ if not balance.holds]
    for balance in wrong[:NAMED]:
        logger.error(
            "The stock of product %d (%s) is %d, and its movements add up to %d",
            balance.product_id, balance.sku, balance.quantity, balance.recorded,
        )  # fmt: skip
    products, differ = check.products_so_far + len(slice_), check.wrong_so_far + len(wrong)
    unmoved = StockCheck.objects.filter(pk=1, last_product=check.last_product)
    if len(slice_) == SLICE:
        last = slice_[-1].product_id
        unmoved.update(last_product=last, products_so_far=products, wrong_so_far=differ)
    else:
        unmoved.update(
            last_product=0, products_so_far=0, wrong_so_far=0, products=products, wrong=differ, ended_at=timezone.now()
        )


def drift() -> int:
    """How many products differ, by the last whole proof, or by the one under way where that found more."""
    check = StockCheck.objects.filter(pk=1).first()
    return max(check.wrong, check.wrong_so_far) if check else 0


def checked_at() -> float:
    """When the last whole proof came to its end; 0 for never."""
    check = StockCheck.objects.filter(pk=1).first()
    return check.ended_at.timestamp() if check and check.ended_at else 0.0

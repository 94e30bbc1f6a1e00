"""manage.py check_stock: proves the stock ledger."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from products import ledger
from products.models import Product


class Command(BaseCommand):
    help = "Prove that every product's quantity is the sum of its stock movements; name those that differ."

    def handle(self, *args: Any, **options: Any) -> None:
        checked = wrong = 0
        # disable=None: no bar where there is no terminal.
        with tqdm(total=Product.objects.count(), unit=" products", disable=None) as bar:
            for balance in ledger.balances():
                checked += 1
                bar.update()
                if not balance.holds:
                    wrong += 1
                    bar.clear()
                    self.stdout.write(
                        f"product {balance.product_id} ({balance.sku}): the quantity is {balance.quantity}, "
                        f"its movements add up to {balance.recorded}"
                    )
        if wrong:
            raise CommandError(f"{wrong} of {checked} products differ from their movements.")
        self.stdout.write(f"{checked} products: every quantity is the sum of its movements.")

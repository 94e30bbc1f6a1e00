"""manage.py check_stock: proves the stock ledger."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from products import ledger, stock
from products.models import Product


class Command(BaseCommand):
    help = "Prove that every product's quantity is the sum of its stock movements; name those that differ."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--correct",
            action="store_true",
            help="write the movement that is missing of each; no quantity changes, so count these products afterwards",
        )

    def handle(self, *args: Any, correct: bool, **options: Any) -> None:
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
                        f"its movements add up to {balance.recorded}{self.corrected(balance) if correct else ''}"
                    )
        if wrong and correct:
            self.stdout.write(f"{wrong} of {checked} products differed from their movements, and were corrected.")
        elif wrong:
            raise CommandError(f"{wrong} of {checked} products differ from their movements.")
        else:
            self.stdout.write(f"{checked} products: every quantity is the sum of its movements.")

    def corrected(self, balance: ledger.Balance) -> str:
        return f"; corrected by {stock.balance_books(product_id=balance.product_id):+d}"

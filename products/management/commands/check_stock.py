"""manage.py check_stock: verifies the stock ledger."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from productbackend.database.verification import list_wrong
from products.inventory import ledger, stock
from products.models import Product


class Command(BaseCommand):
    help = "Verify that every product's quantity is the sum of its stock movements; list those that differ."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--correct",
            action="store_true",
            help="write the missing movement of each; quantities do not change, so count these products afterwards",
        )

    def handle(self, *args: Any, correct: bool, **options: Any) -> None:
        checked, wrong = list_wrong(
            ledger.balances(),
            total=Product.objects.count(),
            unit="products",
            write=self.stdout.write,
            describe=self.corrected if correct else str,
        )
        if wrong and correct:
            self.stdout.write(f"{wrong} of {checked} products differed from their movements, and were corrected.")
        elif wrong:
            raise CommandError(f"{wrong} of {checked} products differ from their movements.")
        else:
            self.stdout.write(f"{checked} products: every quantity is the sum of its movements.")

    def corrected(self, balance: ledger.Balance) -> str:
        return f"{balance}; corrected by {stock.reconcile(product_id=balance.pk):+d}"

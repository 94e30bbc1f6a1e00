"""manage.py check_payments: verifies orders, payments, refunds, the ledger of money and the stock of orders."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from orders.models import Order
from payments import differences, reconciling, verifying
from productbackend.database.verification import list_wrong


class Command(BaseCommand):
    help = (
        "Verify that the status of every order is what its payments, refunds and movements of money say, and that it "
        "holds the stock that its status says; list those that differ."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--provider",
            action="store_true",
            help="also compare with the books of the payment providers, and settle what only they know",
        )
        parser.add_argument(
            "--days", type=int, default=reconciling.PERIOD.days, help="of how many days; with --provider"
        )

    def handle(self, *args: Any, provider: bool, days: int, **options: Any) -> None:
        problems = []
        if provider:
            problems += self.compare(timedelta(days=days))
        checked, wrong = list_wrong(
            differences.stored_orders(verifying.comparisons()),
            total=Order.objects.count(),
            unit="orders",
            write=self.stdout.write,
        )
        if wrong:
            problems.append(f"{wrong} of {checked} orders differ from their payments, money or stock.")
        if problems:
            raise CommandError(" ".join(problems))
        self.stdout.write(f"{checked} orders: payments, money and stock agree with every status.")

    def compare(self, period: timedelta) -> list[str]:
        """Compare with the providers, list the differences, and return what is wrong in one line each."""
        checked, silent = reconciling.reconcile_all(period)
        found = [row for row in differences.differences() if row.kind != differences.Kind.ORDER]
        for row in found:
            self.stdout.write(f"{row.what}: {row.to_do}")
        problems = [f"{code} did not answer: its books were not compared." for code in silent]
        if found:
            problems.append(f"The books of providers differ from the ledger in {len(found)} payments.")
        if not problems:
            self.stdout.write(f"{checked} payments: the ledger agrees with the providers' books.")
        return problems

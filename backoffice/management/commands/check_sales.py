"""manage.py check_sales: verifies the rollups of sales."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from backoffice.dashboard import rollups, verification
from productbackend.database.verification import list_wrong


class Command(BaseCommand):
    help = "Verify that the sales of each day of the home page are those of its orders; list those that differ."

    def handle(self, *args: Any, **options: Any) -> None:
        checked, wrong = list_wrong(
            verification.comparisons(), total=rollups.WINDOW, unit="days", write=self.stdout.write
        )
        if wrong:
            raise CommandError(
                f"The sales of {wrong} of {checked} days differ from the orders: manage.py roll_sales --all."
            )
        self.stdout.write(f"{checked} days: the sales are those of the orders.")

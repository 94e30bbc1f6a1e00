"""manage.py roll_sales: computes the sales of the home page's days from the orders."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from tqdm import tqdm

from backoffice.dashboard import rollups


class Command(BaseCommand):
    help = "Compute the sales of the days that the home page shows and that are due; an interrupted run is continued."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--all", action="store_true", help="every day, whether or not it is due")

    def handle(self, *args: Any, **options: Any) -> None:
        days = rollups.window()
        due = list(days) if options["all"] else rollups.due_days(days)
        rollups.roll_all(tqdm(due, unit=" days", disable=None))  # disable=None: no bar without a terminal
        rollups.roll_due()
        self.stdout.write(f"{len(due)} of {len(days)} days were computed.")

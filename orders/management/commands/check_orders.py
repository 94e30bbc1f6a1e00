"""manage.py check_orders: verifies the amounts of orders."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from orders import verifying
from orders.models import Order
from productbackend.database.verification import list_wrong


class Command(BaseCommand):
    help = "Verify that every order's amounts are those of its lines and delivery; list those that differ."

    def handle(self, *args: Any, **options: Any) -> None:
        checked, wrong = list_wrong(
            verifying.comparisons(), total=Order.objects.count(), unit="orders", write=self.stdout.write
        )
        if wrong:
            raise CommandError(f"{wrong} of {checked} orders differ from their lines.")
        self.stdout.write(f"{checked} orders: every amount is that of the lines and the delivery.")

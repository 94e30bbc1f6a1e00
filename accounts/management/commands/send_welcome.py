"""manage.py send_welcome: what beat does every morning, by hand."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from accounts import welcome


class Command(BaseCommand):
    help = "Owe the welcome mail to everyone who is due for it; a worker sends them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only show who is owed one")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        if dry_run:
            for user in welcome.owed().iterator():
                self.stdout.write(f"{user.pk}\t{user.username}\t{user.email}")
            self.stdout.write(f"{welcome.owed().count()} users are owed a welcome mail.")
        else:
            self.stdout.write(f"{welcome.owe_welcome_mails()} welcome mails are owed; a worker sends them.")

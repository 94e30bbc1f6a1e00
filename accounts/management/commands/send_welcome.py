"""manage.py send_welcome: run the daily welcome job by hand."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from accounts import welcome


class Command(BaseCommand):
    help = "Enqueue the welcome mail for every user who is due; a worker sends them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only list the users who are due")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        if dry_run:
            for user in welcome.due_users().iterator():
                self.stdout.write(f"{user.pk}\t{user.username}\t{user.email}")
            self.stdout.write(f"{welcome.due_users().count()} users are due for the welcome mail.")
        else:
            self.stdout.write(f"{welcome.enqueue_welcome_mails()} welcome mails enqueued; a worker sends them.")

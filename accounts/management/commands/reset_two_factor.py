"""manage.py reset_two_factor: remove the second factor of a member of staff who lost it."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts import two_factor
from accounts.backends import find_account


class Command(BaseCommand):
    help = (
        "Remove the second factor of an account, for somebody who lost the phone and the recovery codes. "
        "It ends every session and token of the account, and the account gets a mail."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", help="the user name or the e-mail address of the account")

    def handle(self, *args: Any, username: str, **options: Any) -> None:
        user = find_account(username)
        if user is None:
            raise CommandError("No account has this user name or e-mail address.")
        if not two_factor.reset(user=user):
            raise CommandError(f"Account {user.pk} has no second factor. Nothing was changed.")
        self.stdout.write(
            f"The second factor of account {user.pk} was removed, and its sessions and tokens were revoked."
        )

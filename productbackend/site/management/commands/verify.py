"""`manage.py verify`: runs all verifiers."""

from io import StringIO
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from productbackend.database.verification import COMMANDS


class Command(BaseCommand):
    help = (
        "Run all verifiers, and print one line for each: what is verified, and the result. The exit code is 1 if any "
        "of them finds something; its own command lists what."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        failed = []
        for what, command in COMMANDS.items():
            try:
                line = f"good  {what}: {self.result(command)}"
            except CommandError as error:
                failed.append(what)
                line = f"bad   {what}: {error} See manage.py {command}."
            self.stdout.write(line)
            self.stdout.flush()
        if failed:
            raise CommandError(f"{len(failed)} of {len(COMMANDS)} verifiers found something: {', '.join(failed)}.")

    def result(self, command: str) -> str:
        """The last line of the command's output. Raises CommandError if it finds something."""
        out = StringIO()
        call_command(command, stdout=out)
        return out.getvalue().strip().splitlines()[-1]

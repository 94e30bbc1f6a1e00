"""manage.py migrate: Django's, with short waits for locks, so that the service can be in use meanwhile."""

from typing import Any

from django.core.management.commands import migrate
from django.db import connections

from productbackend.database.migrating import short_waits


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        with short_waits(connections[options["database"]]):
            super().handle(*args, **options)

"""`manage.py ensure_superuser`: creates the first account of a new shop from the settings."""

import secrets
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.management import CommandError
from django.core.management.base import BaseCommand

from productbackend.database.fields import fold


class Command(BaseCommand):
    help = "Create the superuser of DJANGO_SUPERUSER_* unless the user name exists."

    def handle(self, *args: Any, **options: Any) -> None:
        """Create the superuser. A generated password is shown once."""
        User = get_user_model()
        name = settings.SUPERUSER_USERNAME
        if User.objects.filter(username_key=fold(name)).exists():
            return
        password = settings.SUPERUSER_PASSWORD or secrets.token_urlsafe(12)
        user = User(username=name, email=settings.SUPERUSER_EMAIL, is_staff=True, is_superuser=True)
        user.set_password(password)
        try:
            user.full_clean()
        except ValidationError as error:
            raise CommandError(f"DJANGO_SUPERUSER_*: {'; '.join(error.messages)}") from error
        user.save()
        shown = "the password of DJANGO_SUPERUSER_PASSWORD" if settings.SUPERUSER_PASSWORD else f"password {password}"
        self.stdout.write(f"Created the superuser {name}, {shown}")

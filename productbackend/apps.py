"""The project as an app: its commands, and beat's jobs."""

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db.models.signals import post_migrate


class ProductBackendConfig(AppConfig):
    name = "productbackend"

    def ready(self) -> None:
        from productbackend import alive, beat, filesystem_broker, work  # noqa: F401

        try:
            settings.DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ImproperlyConfigured(f"DATA_DIR={settings.DATA_DIR} cannot be made: {error.strerror}") from error
        # Of an app without models, as this one is, Django sends no post_migrate.
        sender = apps.get_app_config("django_celery_beat")
        post_migrate.connect(beat.create_jobs, sender=sender, dispatch_uid="create_beat_jobs")

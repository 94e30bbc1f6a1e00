"""The project as an app: its commands, and beat's jobs."""

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db.models.signals import post_migrate


class ProductBackendConfig(AppConfig):
    name = "productbackend"

    def ready(self) -> None:
        from productbackend import beat, filesystem_broker  # noqa: F401

        try:
            settings.DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ImproperlyConfigured(f"DATA_DIR={settings.DATA_DIR} cannot be made: {error.strerror}") from error
        # The signal comes for apps that have models alone, and this one has none.
        post_migrate.connect(
            beat.create_jobs, sender=apps.get_app_config("django_celery_beat"), dispatch_uid="create_beat_jobs"
        )

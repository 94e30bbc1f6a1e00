"""The project as an app: its commands, and beat's jobs."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ProductBackendConfig(AppConfig):
    name = "productbackend"

    def ready(self) -> None:
        from productbackend import beat, filesystem_broker  # noqa: F401

        post_migrate.connect(beat.create_jobs, sender=self, dispatch_uid="create_beat_jobs")

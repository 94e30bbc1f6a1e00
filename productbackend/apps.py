"""The project as an app: its commands, and beat's jobs."""

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db.models.signals import post_migrate


class ProductBackendConfig(AppConfig):
    name = "productbackend"

    def ready(self) -> None:
        from productbackend import alive, beat, filesystem_broker, work  # noqa: F401
        from productbackend.metrics import counters, exposition, gauges  # noqa: F401

        for name in ("DATA_DIR", "METRICS_DIR"):
            folder = getattr(settings, name)
            try:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            except OSError as error:
                raise ImproperlyConfigured(f"{name}={folder} cannot be made: {error.strerror}") from error
        gauges.register(
            "productbackend_beat_tick_timestamp_seconds", "When beat last sent a task; 0 for never.", beat.last_tick
        )
        # Of an app without models, as this one is, Django sends no post_migrate.
        sender = apps.get_app_config("django_celery_beat")
        post_migrate.connect(beat.create_jobs, sender=sender, dispatch_uid="create_beat_jobs")

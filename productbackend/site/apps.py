"""The app of the project: its management commands, signal receivers and beat jobs."""

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db.models.signals import post_migrate


class SiteConfig(AppConfig):
    name = "productbackend.site"

    def ready(self) -> None:
        from productbackend.doctor import configuration  # noqa: F401
        from productbackend.embedded import filesystem_broker  # noqa: F401
        from productbackend.observability import context  # noqa: F401
        from productbackend.observability.metrics import counters, exposition, gauges  # noqa: F401
        from productbackend.workers import beat, heartbeat  # noqa: F401

        for name in ("DATA_DIR", "METRICS_DIR"):
            folder = getattr(settings, name)
            try:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            except OSError as error:
                raise ImproperlyConfigured(f"{name}={folder} cannot be created: {error.strerror}") from error
        beat.record_changes()
        gauges.register(
            "productbackend_beat_tick_timestamp_seconds",
            "When beat last sent a task; 0 for never.",
            beat.last_tick,
        )
        # Django sends no post_migrate for an app without models, such as this one.
        sender = apps.get_app_config("django_celery_beat")
        post_migrate.connect(beat.create_jobs, sender=sender, dispatch_uid="create_beat_jobs")

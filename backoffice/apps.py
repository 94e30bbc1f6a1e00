from django.apps import AppConfig


class BackofficeConfig(AppConfig):
    name = "backoffice"
    verbose_name = "Back office"

    def ready(self) -> None:
        from backoffice import openapi
        from backoffice.dashboard import verification as sales
        from backoffice.feeds import building, files
        from backoffice.history import admin, recording
        from productbackend.database import changes, verification
        from productbackend.observability.metrics import gauges
        from productbackend.storages import media

        openapi.register()
        changes.RECORDERS.append(recording.store)
        admin.show_on_object_pages()  # the apps below have registered their models by now
        verification.COMMANDS["sales"] = "check_sales"
        gauges.register(
            "productbackend_sales_drift_rollups",
            "Rollups of a day's sales that differ from its orders, by the last check.",
            sales.drift,
        )
        gauges.register(
            "productbackend_sales_check_timestamp_seconds",
            "The time of the last complete check of all rollups of sales; 0 for never.",
            sales.checked_at,
        )
        media.OTHER_FOLDERS.add(files.FOLDER)
        gauges.register(
            "productbackend_feeds_published_timestamp_seconds",
            "When the sitemap and the feed that are served were published; 0 for never, absent if they are off.",
            building.published_at,
        )

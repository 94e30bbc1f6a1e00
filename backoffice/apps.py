from django.apps import AppConfig


class BackofficeConfig(AppConfig):
    name = "backoffice"
    verbose_name = "Back office"

    def ready(self) -> None:
        from backoffice import openapi
        from backoffice.history import admin, recording
        from productbackend.database import changes

        openapi.register()
        changes.RECORDERS.append(recording.store)
        admin.show_on_object_pages()  # the apps below have registered their models by now

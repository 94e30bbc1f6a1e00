from django.apps import AppConfig


class TaxesConfig(AppConfig):
    name = "taxes"

    def ready(self) -> None:
        from taxes import openapi

        openapi.register()

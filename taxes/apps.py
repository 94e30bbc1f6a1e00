from django.apps import AppConfig


class TaxesConfig(AppConfig):
    name = "taxes"

    def ready(self) -> None:
        from productbackend.database.changes import Kind
        from productbackend.database.recorded import register
        from taxes import openapi

        openapi.register()
        fields = ("country", "tax_class", "rate", "valid_from")
        register(Kind(self.get_model("TaxRate"), fields, name="{country} {tax_class} from {valid_from}"))

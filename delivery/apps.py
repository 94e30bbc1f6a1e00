from django.apps import AppConfig


class DeliveryConfig(AppConfig):
    name = "delivery"

    def ready(self) -> None:
        from delivery import openapi
        from productbackend.database.changes import Kind
        from productbackend.database.recorded import register

        openapi.register()
        fields = (
            "code", "name", "description", "price", "free_from", "min_amount", "max_amount", "countries",
            "needs_address", "tax_class", "is_active", "position",
        )  # fmt: skip
        register(Kind(self.get_model("DeliveryMethod"), fields, name="{name}", key="code"))

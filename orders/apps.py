from django.apps import AppConfig


class OrdersConfig(AppConfig):
    name = "orders"

    def ready(self) -> None:
        from orders import destinations, mails, openapi, verifying
        from outbox.mails import register
        from productbackend.database import verification
        from productbackend.doctor import findings
        from productbackend.observability.metrics import gauges

        openapi.register()
        findings.REGISTERED.append(findings.Check("delivery", destinations.delivery, "the database"))
        findings.REGISTERED.append(findings.Check("taxes", destinations.taxes, "the database"))
        verification.COMMANDS["orders"] = "check_orders"
        for kind in mails.TEMPLATES:
            register(kind, mails.compose)
        gauges.register(
            "productbackend_order_drift_orders",
            "Orders whose amounts differ from those of their lines and delivery, by the last check.",
            verifying.drift,
        )
        gauges.register(
            "productbackend_order_check_timestamp_seconds",
            "The time of the last complete check of all orders; 0 for never.",
            verifying.checked_at,
        )

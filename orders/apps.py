from django.apps import AppConfig


class OrdersConfig(AppConfig):
    name = "orders"

    def ready(self) -> None:
        from orders import mails
        from outbox.mails import register

        register(mails.CONFIRMATION, mails.confirmation)

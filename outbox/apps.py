from django.apps import AppConfig

from accounts.signals import account_closed


class OutboxConfig(AppConfig):
    name = "outbox"

    def ready(self) -> None:
        from outbox.forgetting import on_account_closed

        account_closed.connect(on_account_closed, dispatch_uid="outbox.forget")

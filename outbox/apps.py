from django.apps import AppConfig

from accounts.signals import account_closed


class OutboxConfig(AppConfig):
    name = "outbox"

    def ready(self) -> None:
        from outbox import sending
        from outbox.forgetting import on_account_closed
        from productbackend.metrics import gauges

        account_closed.connect(on_account_closed, dispatch_uid="outbox.forget")
        gauges.register(
            "productbackend_mail_oldest_pending_seconds",
            "How long the oldest mail that is not sent yet has been owed; 0 where none is.",
            sending.longest_owed,
        )
        gauges.register(
            "productbackend_mail_oldest_due_seconds",
            "How long the mail that may be sent, and waits longest for a worker, has waited; 0 where none waits.",
            sending.longest_due,
        )

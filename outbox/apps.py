from django.apps import AppConfig

from accounts.signals import account_closed


class OutboxConfig(AppConfig):
    name = "outbox"

    def ready(self) -> None:
        from outbox import sending
        from outbox.anonymization import on_account_closed
        from productbackend.observability.metrics import gauges

        account_closed.connect(on_account_closed, dispatch_uid="outbox.forget")
        gauges.register(
            "productbackend_mail_oldest_pending_seconds",
            "Age of the oldest pending mail; 0 if there is none.",
            sending.oldest_pending_seconds,
        )
        gauges.register(
            "productbackend_mail_oldest_due_seconds",
            "How long the oldest due mail has waited for a worker; 0 if there is none.",
            sending.oldest_due_seconds,
            waiting="mail",
            alert="MailsWaiting",
        )

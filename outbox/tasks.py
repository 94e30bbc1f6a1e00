"""What workers do about mail."""

from celery import shared_task

from outbox import sending


@shared_task(time_limit=25)  # below the claim's LEASE
def send(mail_id: int) -> None:
    sending.send(mail_id)


@shared_task
def sweep() -> None:
    """Queue what is due and lies there: its nudge was lost, its time has come, or its worker died."""
    for mail_id in sending.due():
        # What no worker takes up before the next sweep is dropped: it would be queued twice.
        send.apply_async((mail_id,), expires=30)

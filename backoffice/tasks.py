"""Celery tasks of the back office."""

from celery import shared_task

from backoffice.dashboard import rollups, verification


@shared_task(expires=60)
def roll_sales() -> None:
    rollups.roll_due()


@shared_task(expires=60)
def check_sales() -> None:
    verification.check_next_slice()

"""Celery tasks of orders."""

from celery import shared_task

from orders import anonymization, verifying


@shared_task
def anonymize_old_orders() -> None:
    anonymization.anonymize_old()


@shared_task(expires=60)
def check_orders() -> None:
    verifying.check_next_slice()

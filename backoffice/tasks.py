"""Celery tasks of the back office. Each is one call of a domain function, and may run twice."""

from celery import shared_task

from backoffice.dashboard import rollups, verification
from backoffice.feeds import building
from backoffice.imports import progress, retention


@shared_task(expires=60)
def roll_sales() -> None:
    rollups.roll_due()


@shared_task(expires=60)
def check_sales() -> None:
    verification.check_next_slice()


@shared_task
def work_on_import(import_id: int) -> None:
    progress.work(import_id)


@shared_task(expires=progress.SWEEP_SECONDS)
def sweep_imports() -> None:
    progress.sweep()


@shared_task
def delete_old_imports() -> None:
    retention.delete_old()


@shared_task(expires=building.SWEEP_SECONDS)
def make_feeds() -> None:
    building.start()


@shared_task(expires=building.SWEEP_SECONDS)
def continue_feeds() -> None:
    building.sweep()

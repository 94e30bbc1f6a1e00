"""Celery tasks of carts."""

from celery import shared_task

from carts import anonymization, expiry


@shared_task
def forget_closed_accounts() -> None:
    anonymization.anonymize_closed()


@shared_task
def expire_guest_carts() -> None:
    expiry.expire_guest_carts()

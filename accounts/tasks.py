"""Celery tasks of accounts."""

from celery import shared_task

from accounts import anonymization, email_verification, networks, tokens, welcome


@shared_task
def send_welcome_mails() -> None:
    welcome.enqueue_welcome_mails()


@shared_task
def flush_expired_tokens() -> None:
    tokens.flush_expired()
    email_verification.delete_old_changes()


@shared_task
def clear_sessions() -> None:
    anonymization.clear_sessions()
    networks.delete_old()

"""What workers do about accounts."""

from celery import shared_task

from accounts import tokens, welcome


@shared_task
def send_welcome_mails() -> None:
    welcome.owe_welcome_mails()


@shared_task
def flush_expired_tokens() -> None:
    tokens.flush_expired()

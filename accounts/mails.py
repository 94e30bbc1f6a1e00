"""The mails about accounts, written when they are sent."""

from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from accounts import addresses
from accounts.models import User
from outbox.mails import Message
from outbox.models import Mail


def confirmation(mail: Mail) -> Message | None:
    """To a new address: the link that confirms it. None once it is confirmed, or another was asked for."""
    user = mail.user
    if user is None or not addresses.awaits_confirmation(user, mail.recipient):
        return None
    page = settings.EMAIL_CONFIRM_URL or _own_page("email-confirm")
    link = _with_query(page, token=addresses.make_token(user, mail.recipient))
    days = addresses.MAX_AGE // 86400
    return _message(
        "confirm_email", f"Confirm your e-mail address for {settings.SHOP_NAME}", user, link=link, days=days
    )


def change_notice(mail: Mail) -> Message | None:
    """To the present address: that another is to take its place."""
    if mail.user is None:
        return None
    return _message("email_change", f"Your e-mail address at {settings.SHOP_NAME} is to be changed", mail.user)


def password_reset(mail: Mail) -> Message | None:
    """The link that lets one set a new password. None where no account has the address: nobody is told."""
    user = User.objects.filter(email=mail.recipient, is_active=True).first() if mail.recipient else None
    if user is None:
        return None
    page = settings.PASSWORD_RESET_URL or _own_page("password-reset-confirm")
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    link = _with_query(page, uid=uid, token=default_token_generator.make_token(user))
    days = settings.PASSWORD_RESET_TIMEOUT // 86400
    return _message("reset_password", f"A new password for {settings.SHOP_NAME}", user, link=link, days=days)


def welcome(mail: Mail) -> Message | None:
    """The greeting of a new customer. None where the account has been deactivated or has another address since."""
    user = mail.user
    if user is None or not user.is_active or user.email != mail.recipient:
        return None
    return _message("welcome", f"Welcome to {settings.SHOP_NAME}", user, link=settings.SITE_URL)


def _message(template: str, subject: str, user: User, **context: object) -> Message:
    name = user.first_name or user.username
    context = {"shop": settings.SHOP_NAME, "name": name, "subject": subject, "account": user, **context}
    text, html = (render_to_string(f"accounts/mails/{template}.{form}", context) for form in ("txt", "html"))
    return Message(subject=subject, text=text, html=html)


def _own_page(name: str) -> str:
    return f"{settings.SITE_URL}{reverse(name)}"


def _with_query(page: str, **values: str) -> str:
    return f"{page}{'&' if '?' in page else '?'}{urlencode(values)}"

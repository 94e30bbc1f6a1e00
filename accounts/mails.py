"""Composers of the account mails, called when a mail is sent."""

from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from accounts import email_verification, notices, passwords
from accounts.models import AddressChange, SignInNetwork, User
from outbox.mails import Message
from outbox.models import Mail
from outbox.rendering import render


def verification(mail: Mail) -> Message | None:
    """Compose the mail that verifies an address. None if it is verified, or another was requested since."""
    user = mail.user
    if user is None or not email_verification.awaits_verification(user, mail.recipient):
        return None
    page = settings.EMAIL_CONFIRM_URL or _page_url("email-confirm")
    link = _with_query(page, token=email_verification.make_token(user, mail.recipient))
    days = email_verification.MAX_AGE // 86400
    return _message("verify_email", mail, user, link=link, days=days)


def change_notice(mail: Mail) -> Message | None:
    """Compose the notice to the current address that a change was requested, with the link that undoes it."""
    return _undo_message(mail, "email_change")


def changed_notice(mail: Mail) -> Message | None:
    """Compose the notice to the former address that it was replaced, with the link that undoes it."""
    return _undo_message(mail, "email_changed")


def _undo_message(mail: Mail, template: str) -> Message | None:
    change = AddressChange.objects.filter(pk=int(mail.reference or 0), user=mail.user_id).first()
    if mail.user is None or change is None or not mail.user.is_active:
        return None
    link = _with_query(_page_url("email-undo"), token=email_verification.make_undo_token(change))
    return _message(template, mail, mail.user, link=link, days=email_verification.MAX_AGE // 86400)


def password_reset(mail: Mail) -> Message | None:
    """Compose the mail that resets a password. None if no active account has the address."""
    user = User.objects.filter(email=mail.recipient, is_active=True).first() if mail.recipient else None
    if user is None:
        return None
    # The mail was enqueued for an address. With its user it is anonymized even if the account has another address then.
    Mail.objects.filter(pk=mail.pk).update(user=user)
    page = settings.PASSWORD_RESET_URL or _page_url("password-reset-confirm")
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    link = _with_query(page, uid=uid, token=passwords.reset_tokens.make_token(user))
    days = settings.PASSWORD_RESET_TIMEOUT // 86400
    return _message("reset_password", mail, user, link=link, days=days)


def welcome(mail: Mail) -> Message | None:
    """Compose the welcome mail. None if the account is inactive or has another address since."""
    user = mail.user
    if user is None or not user.is_active or user.email != mail.recipient:
        return None
    return _message("welcome", mail, user, link=settings.SITE_URL)


def notice(mail: Mail) -> Message | None:
    """Compose a notice of notices.py. None if the account was closed."""
    if mail.user is None:
        return None
    context: dict[str, object] = {"at": mail.created_at, "link": settings.SITE_URL}
    if mail.kind == notices.NETWORK_KIND:
        row = SignInNetwork.objects.filter(pk=int(mail.reference or 0), user=mail.user).first()
        context["network"] = row.network if row else ""
    return _message(notices.TEMPLATES[mail.kind], mail, mail.user, **context)


def _message(template: str, mail: Mail, user: User, **context: object) -> Message:
    """Render the mail. It has the account's names only if the address is verified: a stranger may have typed them."""
    if user.email_verified and user.email == mail.recipient:
        context |= {"name": user.first_name or user.username, "username": user.username}
    return render(f"accounts/mails/{template}", context)


def _page_url(name: str) -> str:
    return f"{settings.SITE_URL}{reverse(name)}"


def _with_query(page: str, **values: str) -> str:
    return f"{page}{'&' if '?' in page else '?'}{urlencode(values)}"

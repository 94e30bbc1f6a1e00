"""E-mail addresses: confirmed by whoever reads what is sent there."""

from django.core import signing
from django.db import IntegrityError, transaction

from accounts.models import User
from outbox import mails
from productbackend.errors import DomainError
from productbackend.transactions import retried

CONFIRM_KIND = "email-confirm"
NOTICE_KIND = "email-change"
SALT = "accounts.email-confirm"
MAX_AGE = 3 * 24 * 3600  # seconds


def owe_confirmation(*, user: User, address: str) -> None:
    mails.owe(kind=CONFIRM_KIND, recipient=address, user=user)


def owe_notice(*, user: User) -> None:
    """Tell the present address that another is to take its place."""
    if user.email:
        mails.owe(kind=NOTICE_KIND, recipient=user.email, user=user)


def awaits_confirmation(user: User, address: str) -> bool:
    return user.is_active and (user.pending_email == address or (user.email == address and not user.email_verified))


def make_token(user: User, address: str) -> str:
    """What proves that its bearer reads the mail of `address`; good for three days."""
    return signing.dumps([user.pk, address], salt=SALT)


def confirm(*, token: str) -> User:
    """Take the token's address for confirmed. Whoever confirms an address first has it."""
    try:
        pk, address = signing.loads(token, salt=SALT, max_age=MAX_AGE)
        return _confirm(pk, address)
    except (signing.BadSignature, IntegrityError):
        raise DomainError("invalid-token", "The link was used, has expired, or is broken.") from None


@retried
def _confirm(pk: int, address: str) -> User:
    user = User.objects.select_for_update().filter(pk=pk).first()
    if user is None or not awaits_confirmation(user, address):
        raise DomainError("invalid-token", "The link was used, or another address has been asked for since.")
    # An account that merely named the address when it registered loses it to the one that reads its mail.
    User.objects.filter(email=address, email_verified=False).exclude(pk=pk).update(email=None)
    user.email, user.email_verified, user.pending_email = address, True, None
    with transaction.atomic():  # another account may have it, confirmed
        user.save(update_fields=["email", "email_verified", "pending_email"])
    return user

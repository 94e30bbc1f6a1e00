"""Notices by mail of what a thief would do too: a new password, another second factor, a sign-in from elsewhere."""

from accounts.models import User
from outbox import mails

PASSWORD_KIND = "password-changed"  # noqa: S105
SET_UP_KIND = "two-factor-set-up"
REMOVED_KIND = "two-factor-removed"
CODES_KIND = "recovery-codes"
NETWORK_KIND = "new-network"
# Kind -> its template. None of them has a code, a secret or a link with a token.
TEMPLATES = {
    PASSWORD_KIND: "password_changed",
    SET_UP_KIND: "two_factor_set_up",
    REMOVED_KIND: "two_factor_removed",
    CODES_KIND: "recovery_codes",
    NETWORK_KIND: "new_network",
}


def enqueue(kind: str, user: User, reference: str = "") -> None:
    """Enqueue the notice in the caller's transaction, if the account has an address."""
    if user.email:
        # `was_confirmed` exempts it from outbox.limits: a thief must not delay it with other mails.
        mails.enqueue(
            kind=kind, recipient=user.email, user=user, reference=reference, was_confirmed=user.email_verified
        )


def on_password_changed(sender: type[User], user: User, **kwargs: object) -> None:
    enqueue(PASSWORD_KIND, user)

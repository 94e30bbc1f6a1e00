"""Access and refresh tokens: made at sign-in, renewed once each, ended together.

A refresh token leaves a row (by its `jti`) only once it is spent, until it would have expired.
"""

from dataclasses import dataclass

from django.contrib.auth import authenticate
from django.db.models import F
from django.utils import timezone
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from rest_framework_simplejwt.tokens import RefreshToken
from rest_framework_simplejwt.utils import datetime_from_epoch

from accounts.models import User
from productbackend.errors import DomainError
from productbackend.transactions import retried

VERSION_CLAIM = "version"
FLUSH_BATCH = 1_000


@dataclass(frozen=True)
class Pair:
    """What a client keeps: `access` for minutes, `refresh` to get the next pair."""

    access: str
    refresh: str


def sign_in(*, username: str, password: str) -> Pair:
    """A pair for the account of that name or e-mail address; a 401 that does not say what was wrong."""
    user = authenticate(None, username=username, password=password)
    if not isinstance(user, User):
        raise DomainError("not-authenticated", "No active account has this name and this password.")
    return issue(user)


def issue(user: User) -> Pair:
    token = RefreshToken()
    token[api_settings.USER_ID_CLAIM] = str(user.pk)
    token[VERSION_CLAIM] = user.token_stamp
    return Pair(access=str(token.access_token), refresh=str(token))


@retried
def renew(*, refresh: str) -> Pair:
    """A new pair for a refresh token, which is spent by it: of many that come at once, one succeeds."""
    token, user = _read(refresh)
    _spend(token)
    return issue(user)


@retried
def revoke(*, refresh: str) -> None:
    """Spend a refresh token: signing out on one device."""
    token, _ = _read(refresh)
    _spend(token)


def revoke_all(*, user: User) -> None:
    """End every token and session of the account, at once."""
    User.objects.filter(pk=user.pk).update(token_version=F("token_version") + 1)


def flush_expired() -> int:
    """Delete the rows of spent tokens that have expired since; how many there were."""
    expired = OutstandingToken.objects.filter(expires_at__lt=timezone.now()).order_by("pk")
    total = 0
    while ids := list(expired.values_list("pk", flat=True)[:FLUSH_BATCH]):
        OutstandingToken.objects.filter(pk__in=ids).delete()
        total += len(ids)
    return total


def _read(raw: str) -> tuple[RefreshToken, User]:
    """The token and its user, whose row stays locked until the transaction ends."""
    try:
        token = RefreshToken(raw)  # type: ignore[arg-type]
    except TokenError:
        raise _unusable() from None
    user = User.objects.select_for_update().filter(pk=token.get(api_settings.USER_ID_CLAIM), is_active=True).first()
    if user is None or token.get(VERSION_CLAIM) != user.token_stamp:
        raise _unusable()
    return token, user


def _spend(token: RefreshToken) -> None:
    row, _ = OutstandingToken.objects.get_or_create(
        jti=token[api_settings.JTI_CLAIM],
        defaults={
            "user_id": token[api_settings.USER_ID_CLAIM],
            "token": "",  # the token itself is a secret: its id is enough
            "created_at": datetime_from_epoch(token["iat"]),
            "expires_at": datetime_from_epoch(token["exp"]),
        },
    )
    # Another request may have spent it since it was read; simplejwt's own blacklist() does not look.
    _, made = BlacklistedToken.objects.get_or_create(token=row)
    if not made:
        raise _unusable()


def _unusable() -> DomainError:
    return DomainError("not-authenticated", "The refresh token is invalid, expired or spent: sign in again.")

"""Access and refresh tokens: issued at sign-in, rotated by each refresh, revoked together.

All tokens of a sign-in have its id and its start. A refresh token is blacklisted by its `jti` when it is used, until it
expires; a sign-in that ends is blacklisted by its id.
"""

import secrets
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth import authenticate
from django.db.models import BooleanField, F, QuerySet
from django.db.models.expressions import RawSQL
from django.http import HttpRequest
from django.utils import timezone
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from rest_framework_simplejwt.utils import datetime_from_epoch

from accounts import networks
from accounts.keys import Refresh
from accounts.models import User
from productbackend.database.statements import Slot
from productbackend.database.transactions import atomic_with_retry
from productbackend.errors import DomainError

VERSION_CLAIM = "version"
SIGN_IN_CLAIM, BEGAN_CLAIM = "sign_in", "began"
FLUSH_BATCH = 1_000
# A client that lost the response repeats its request within this time. Later reuse means a stolen token.
REUSE_GRACE = timedelta(seconds=10)


@dataclass(frozen=True)
class SignIn:
    """A sign-in: the family of tokens that refreshing produces."""

    id: str
    began: int

    @property
    def end(self) -> int:
        return self.began + settings.REFRESH_ABSOLUTE_LIFETIME * 86400


@dataclass(frozen=True)
class Pair:
    """A pair of tokens: `access` for requests, `refresh` for the next pair."""

    access: str
    refresh: str


def sign_in(*, request: HttpRequest, username: str, password: str) -> Pair:
    """Return a pair for the account with that name or e-mail address.

    Raises not-authenticated, without saying what was wrong, and Throttled after too many guesses.
    """
    user = authenticate(request, username=username, password=password)
    if not isinstance(user, User):
        raise DomainError("not-authenticated", "No active account has this name and this password.")
    networks.record_sign_in(user=user, request=request)
    return issue(user)


def issue(user: User, sign_in: SignIn | None = None) -> Pair:
    """Issue the next pair of a sign-in, by default of a new one. No token outlives its sign-in."""
    sign_in = sign_in or SignIn(secrets.token_hex(16), int(time.time()))
    token = Refresh()
    token[api_settings.USER_ID_CLAIM] = str(user.pk)
    token[VERSION_CLAIM] = user.token_digest
    token[SIGN_IN_CLAIM], token[BEGAN_CLAIM] = sign_in.id, sign_in.began
    access = token.access_token
    for each in (token, access):
        each["exp"] = min(each["exp"], sign_in.end)
    return Pair(access=str(access), refresh=str(token))


def rotate(*, refresh: str) -> Pair:
    """Exchange a refresh token for a new pair. The token works once: of concurrent requests one succeeds.

    Reuse after `REUSE_GRACE` ends the sign-in. Raises not-authenticated.
    """
    pair = _rotate(refresh)
    if pair is None:
        raise _unusable_token()  # after the commit that ends the sign-in
    return pair


@atomic_with_retry
def _rotate(refresh: str) -> Pair | None:
    token, user, sign_in = _load_token(refresh)
    if _mark_used(token):
        return issue(user, sign_in)
    if sign_in and not _was_used_recently(token):
        _end_sign_in(user, sign_in)
    return None


@atomic_with_retry
def revoke(*, refresh: str) -> None:
    """End the sign-in of a refresh token, with its access tokens. Raises not-authenticated."""
    token, user, sign_in = _load_token(refresh)
    if not _mark_used(token):
        raise _unusable_token()
    if sign_in:
        _end_sign_in(user, sign_in)


def revoke_all(*, user: User) -> None:
    """Revoke the account's tokens, sessions, reset and verification links, and drop a pending address."""
    User.objects.filter(pk=user.pk).update(token_version=F("token_version") + 1, pending_email=None)


def flush_expired() -> int:
    """Delete expired rows of used tokens and ended sign-ins; return how many."""
    expired = OutstandingToken.objects.filter(expires_at__lt=timezone.now()).order_by("pk")
    total = 0
    while ids := list(expired.values_list("pk", flat=True)[:FLUSH_BATCH]):
        OutstandingToken.objects.filter(pk__in=ids).delete()
        total += len(ids)
    return total


def _load_token(raw: str) -> tuple[Refresh, User, SignIn | None]:
    """Return the token, its user, with the row locked, and its sign-in. Raises not-authenticated.

    The sign-in is None for a token of an earlier release: the next pair starts one.
    """
    try:
        token = UncheckedRefresh(raw)  # type: ignore[arg-type]
    except (TokenError, RecursionError):  # a token header of deeply nested JSON raises RecursionError
        raise _unusable_token() from None
    user = User.objects.select_for_update().filter(pk=token.get(api_settings.USER_ID_CLAIM), is_active=True).first()
    if user is None or token.get(VERSION_CLAIM) not in user.token_digests():
        raise _unusable_token()
    if SIGN_IN_CLAIM not in token:
        return token, user, None
    sign_in = SignIn(token[SIGN_IN_CLAIM], token[BEGAN_CLAIM])
    if sign_in.end <= time.time() or blacklisted().filter(token__jti=sign_in.id).exists():
        raise _unusable_token()
    return token, user, sign_in


class UncheckedRefresh(Refresh):
    """A refresh token that may be used already: `_mark_used` checks the blacklist."""

    def check_blacklist(self) -> None:
        pass


def blacklisted() -> QuerySet[BlacklistedToken]:
    """Return the blacklist: used tokens by `jti`, ended sign-ins by id."""
    return BlacklistedToken.objects.all()


def is_blacklisted(sign_in: str | Slot) -> RawSQL:
    """Return an expression for whether a sign-in is blacklisted. Raw: the ORM compiles it slower than it runs."""
    rows = "token_blacklist_blacklistedtoken b JOIN token_blacklist_outstandingtoken o ON o.id = b.token_id"
    return RawSQL(f"EXISTS (SELECT 1 FROM {rows} WHERE o.jti = %s)", [sign_in], BooleanField())  # noqa: S608, S611  (constants only)


def _mark_used(token: Refresh) -> bool:
    """Blacklist the token; return False if it was used already."""
    began, end = datetime_from_epoch(token["iat"]), datetime_from_epoch(token["exp"])
    return _blacklist(token[api_settings.JTI_CLAIM], token[api_settings.USER_ID_CLAIM], began, end)


def _end_sign_in(user: User, sign_in: SignIn) -> None:
    """Blacklist a sign-in until its last token expires."""
    end = min(datetime_from_epoch(sign_in.end), timezone.now() + api_settings.REFRESH_TOKEN_LIFETIME)
    _blacklist(sign_in.id, user.pk, datetime_from_epoch(sign_in.began), end)


def _blacklist(jti: str, user_id: int | str, began: datetime, end: datetime) -> bool:
    """Blacklist a token or a sign-in; return False if it was blacklisted already."""
    row, _ = OutstandingToken.objects.get_or_create(
        jti=jti,
        # The token itself is a secret and is not stored.
        defaults={"user_id": user_id, "token": "", "created_at": began, "expires_at": end},
    )
    # A concurrent request may have used it since it was read; simplejwt's blacklist() does not check that.
    _, created = BlacklistedToken.objects.get_or_create(token=row)
    return created


def _was_used_recently(token: Refresh) -> bool:
    since = timezone.now() - REUSE_GRACE
    recent = blacklisted().filter(token__jti=token[api_settings.JTI_CLAIM], blacklisted_at__gte=since)
    return recent.exists()


def _unusable_token() -> DomainError:
    return DomainError("not-authenticated", "The refresh token is invalid, expired or used: sign in again.")

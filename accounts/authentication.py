"""Authentication by the tokens of accounts and of guests."""

from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db.models import CharField
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import InvalidToken
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.tokens import Token

from accounts.guests import find_guest
from accounts.models import Guest, User
from accounts.tokens import SIGN_IN_CLAIM, VERSION_CLAIM, is_blacklisted
from productbackend.database.statements import Select, Slot, slot

ACCOUNT: Select[Any] = Select(
    lambda: User.objects.annotate(sign_in_ended=is_blacklisted(Slot("sign_in", CharField()))).filter(pk=slot("pk"))
)
SCHEME = b"bearer"
SIGN_IN = "Sign in at /token/; to read the catalogue leave the Authorization header out."
WHAT_TO_DO = "Refresh it at /token/refresh/, or sign in at /token/; to read the catalogue leave the header out."


class BearerAuthentication(JWTAuthentication):
    """JWT authentication that also rejects a token after a change of the password or of the token version."""

    def get_raw_token(self, header: bytes) -> bytes | None:
        scheme, *tokens = header.split() or [b""]
        if scheme.lower() != SCHEME:
            return None
        if tokens and tokens[0].lower() == SCHEME:
            raise AuthenticationFailed("The header has Bearer twice: send `Bearer` once, then the token.")
        if len(tokens) != 1:
            raise AuthenticationFailed("The header must be `Bearer` and one access token.")
        return tokens[0]

    def get_validated_token(self, raw_token: bytes) -> Token:
        try:
            return super().get_validated_token(raw_token)
        except (InvalidToken, RecursionError):  # a token header of deeply nested JSON raises RecursionError
            raise AuthenticationFailed(f"The access token is invalid or has expired. {WHAT_TO_DO}") from None

    def get_user(self, validated_token: Token) -> User:  # type: ignore[override]
        pk, sign_in = validated_token.get(api_settings.USER_ID_CLAIM), validated_token.get(SIGN_IN_CLAIM)
        # One query reads the account and whether the token's sign-in is blacklisted.
        user = ACCOUNT.first(pk=pk, sign_in=str(sign_in))
        if user is None:
            raise AuthenticationFailed(f"The token's account is closed. {SIGN_IN}", code="user_not_found")
        if not user.is_active:
            raise AuthenticationFailed(f"The account is not active. {SIGN_IN}", code="user_inactive")
        if user.sign_in_ended or validated_token.get(VERSION_CLAIM) not in user.token_digests():
            raise AuthenticationFailed(f"The token has been revoked. {SIGN_IN}", code="token_not_valid")
        return user


class GuestAuthentication(BaseAuthentication):
    """Authenticates a guest by the header Guest-Token, on views with `allows_guests`, after the other schemes.

    The guest is `request.auth`, and the user is anonymous: a view that does not know guests refuses them.
    """

    allowed_by = "allows_guests"

    def authenticate(self, request: Request) -> tuple[AnonymousUser, Guest] | None:
        token = request.META.get("HTTP_GUEST_TOKEN")
        is_allowed = getattr(request.parser_context["view"], self.allowed_by, False)
        if token is None or not settings.GUEST_CHECKOUT or not is_allowed:
            return None
        guest = find_guest(token)
        if guest is None:
            raise AuthenticationFailed("The Guest-Token is unknown. Get one at /guests/, or sign in at /token/.")
        return AnonymousUser(), guest

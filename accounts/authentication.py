"""Bearer tokens."""

from typing import Any

from rest_framework.exceptions import AuthenticationFailed
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.tokens import Token

from accounts.tokens import VERSION_CLAIM

SCHEME = b"bearer"


class BearerAuthentication(JWTAuthentication):
    """simplejwt's, for which a token also ends with the password or the token version that it was made under."""

    def get_raw_token(self, header: bytes) -> bytes | None:
        scheme, *rest = header.split() or [b""]
        if scheme.lower() != SCHEME:
            return None
        if rest and rest[0].lower() == SCHEME:
            raise AuthenticationFailed("The header says Bearer twice: send the token alone after one Bearer.")
        if len(rest) != 1:
            raise AuthenticationFailed("The header is not `Bearer` and one access token.")
        return rest[0]

    def get_user(self, validated_token: Token) -> Any:
        user: Any = super().get_user(validated_token)
        if validated_token.get(VERSION_CLAIM) != user.token_stamp:
            raise AuthenticationFailed("The token has been revoked.", code="token_not_valid")
        return user

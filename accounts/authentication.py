"""Bearer tokens."""

from typing import Any

from rest_framework.exceptions import AuthenticationFailed
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.tokens import Token

VERSION_CLAIM = "version"


class BearerAuthentication(JWTAuthentication):
    """simplejwt's, for which a token also ends when the user's `token_version` moves on."""

    def get_raw_token(self, header: bytes) -> bytes | None:
        if header.lower().startswith(b"bearer bearer"):
            raise AuthenticationFailed("The header says Bearer twice: send the token alone after one Bearer.")
        return super().get_raw_token(header)

    def get_user(self, validated_token: Token) -> Any:
        user = super().get_user(validated_token)
        if validated_token.get(VERSION_CLAIM) != user.token_version:
            raise AuthenticationFailed("The token has been revoked.", code="token_not_valid")
        return user

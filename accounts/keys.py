"""Signing keys of tokens: the newest signs, older ones (JWT_SIGNING_KEY_FALLBACKS) only verify.

A token's header names its key (`kid`). A token without one is of an earlier release, and each key is tried.
"""

import functools
import hashlib
import time
from typing import Any

import jwt
from django.conf import settings
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenBackendError, TokenBackendExpiredToken
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

ALGORITHM = "HS256"
VERIFIED_MAX = 1_000  # tokens that each process remembers, of about a kilobyte


@functools.cache
def key_id(key: str) -> str:
    """Return the key's id, a digest that does not reveal the key."""
    return hashlib.sha256(f"kid:{key}".encode()).hexdigest()[:12]


@functools.cache
def _backend(key: str) -> TokenBackend:
    return TokenBackend(ALGORITHM, key)


@functools.lru_cache(maxsize=VERIFIED_MAX)
def _verified(token: Any, key: str) -> dict[str, Any]:
    """The payload of a token that was verified by `key`. Tokens that are rejected are not remembered."""
    return _backend(key).decode(token)


def _decode(token: Any, key: str) -> dict[str, Any]:
    """Return the payload. A client sends one token many times: its signature is verified once, its expiry always."""
    payload = _verified(token, key)
    if payload.get("exp", 0) <= time.time():
        return _backend(key).decode(token)  # raises the error of an expired token
    return dict(payload)


class Keyring(TokenBackend):
    """A token backend with several keys."""

    def encode(self, payload: dict[str, Any]) -> str:
        key = settings.SIMPLE_JWT["SIGNING_KEY"]
        return jwt.encode(payload, key, self.algorithm, headers={"kid": key_id(key)}, json_encoder=self.json_encoder)

    def decode(self, token: Any, verify: bool = True) -> dict[str, Any]:
        error: Exception = TokenBackendError("Token is invalid")
        for key in self._candidate_keys(token):
            try:
                return _decode(token, key) if verify else _backend(key).decode(token, verify=False)
            except TokenBackendExpiredToken:
                raise
            except TokenBackendError as failure:
                error = failure
        raise error

    @staticmethod
    def _candidate_keys(token: Any) -> list[str]:
        keys = [settings.SIMPLE_JWT["SIGNING_KEY"], *settings.JWT_SIGNING_KEY_FALLBACKS]
        if len(keys) == 1:
            return keys  # parsing the header would take as long as verifying the token
        try:
            name = jwt.get_unverified_header(token).get("kid")
        except (jwt.PyJWTError, TypeError, ValueError):
            return []
        return keys if name is None else [key for key in keys if key_id(key) == name]


keyring = Keyring(ALGORITHM)


class Access(AccessToken):
    _token_backend = keyring


class Refresh(RefreshToken):
    _token_backend = keyring
    access_token_class = Access

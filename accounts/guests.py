"""Guests: customers without an account, each known by a random token."""

import hashlib
import re
import secrets

from accounts.models import Guest

TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")  # 256 random bits


def create_guest() -> tuple[Guest, str]:
    """Create a guest; return it with its token, which cannot be read again."""
    token = secrets.token_urlsafe(32)
    return Guest.objects.create(token_hash=_hash(token)), token


def find_guest(token: str) -> Guest | None:
    """Return the guest with that token, or None."""
    return Guest.objects.filter(token_hash=_hash(token)).first() if TOKEN.fullmatch(token) else None


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

"""Idempotency keys: a client's own name of one request, so that its repetition has no second effect."""

from dataclasses import dataclass


@dataclass(frozen=True)
class IdempotencyKey:
    """A client's key of one request, and the SHA-256 of that request."""

    value: str
    fingerprint: str

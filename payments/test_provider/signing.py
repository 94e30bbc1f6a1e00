"""The secrets that the shop and the test provider share, and the signature of events.

The secrets are derived from SECRET_KEY, so that both know them without a setting.
"""

import hashlib
import hmac
import re

HEADER = "Test-Signature"
TOLERANCE = 300  # seconds
FORMAT = re.compile(r"t=([0-9]{1,12}),v1=([0-9a-f]{64})")


def api_token(secret_key: str) -> str:
    """The bearer token of the API."""
    return hmac.new(secret_key.encode(), b"payments.test_provider.api", hashlib.sha256).hexdigest()


def event_secret(secret_key: str) -> str:
    """The secret with which events are signed."""
    return hmac.new(secret_key.encode(), b"payments.test_provider.events", hashlib.sha256).hexdigest()


def sign(body: bytes, *, secret: str, at: int) -> str:
    """The value of the header: the time, and an HMAC over the time and the body."""
    return f"t={at},v1={_digest(body, secret, at)}"


def is_signed(body: bytes, header: str, *, secret: str, now: float) -> bool:
    """Whether the header is the body's signature, and not older or newer than the tolerance."""
    found = FORMAT.fullmatch(header)
    if found is None:
        return False
    at = int(found[1])
    return hmac.compare_digest(found[2], _digest(body, secret, at)) and abs(now - at) <= TOLERANCE


def _digest(body: bytes, secret: str, at: int) -> str:
    return hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()

"""Pagination cursors: opaque positions in a list, which clients send back.

A cursor holds values of rows that clients must not learn, such as ids that reveal how many rows there are. It is
encrypted and authenticated for one list. Encryption is deterministic, so that the same page has the same URLs and the
same ETag: the nonce is the authentication code of the plain text (as in SIV, RFC 5297). BLAKE2b authenticates, and
SHAKE256 with a key of its own generates the key stream.
"""

import base64
import functools
import hashlib
import hmac
import json
from typing import Any

from django.conf import settings

LENGTH_MAX = 4_000  # characters; the longest cursor, of a name with 255 characters of four bytes, has 1,600
BLOCK = 64  # bytes: padding, since the length of a cursor must not reveal the length of an id
TAG = 16


class InvalidCursor(ValueError):
    """The cursor was not created by `encode`, or was created for another list."""


def encode(path: str, values: dict[str, Any]) -> str:
    """Encrypt `values` into a cursor for the list at `path`."""
    # str() and not Django's encoder, which truncates times to milliseconds: rows would appear twice.
    plain = json.dumps(values, default=str, separators=(",", ":"), ensure_ascii=False).encode()
    plain += b" " * (-len(plain) % BLOCK)
    authentication, encryption = _keys(settings.SECRET_KEY)
    tag = _tag(authentication, path, plain)
    return base64.urlsafe_b64encode(tag + _xored(plain, encryption, tag)).decode().rstrip("=")


def decode(path: str, cursor: str) -> dict[str, Any]:
    """Decrypt the values of a cursor for this list. Raises InvalidCursor."""
    if len(cursor) > LENGTH_MAX or not cursor.isascii():
        raise InvalidCursor
    try:
        data = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raise InvalidCursor from None
    tag, encrypted = data[:TAG], data[TAG:]
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        authentication, encryption = _keys(secret)
        plain = _xored(encrypted, encryption, tag)
        if hmac.compare_digest(tag, _tag(authentication, path, plain)):
            values: dict[str, Any] = json.loads(plain)
            return values
    raise InvalidCursor


@functools.lru_cache
def _keys(secret: str) -> tuple[bytes, bytes]:
    """Derive the authentication key and the encryption key."""
    labels = (b"authenticates a cursor", b"encrypts a cursor")
    return tuple(hmac.new(secret.encode(), label, hashlib.sha256).digest() for label in labels)  # type: ignore[return-value]


def _tag(key: bytes, path: str, plain: bytes) -> bytes:
    list_digest = hashlib.blake2b(path.encode(errors="surrogatepass"), digest_size=32).digest()
    return hashlib.blake2b(list_digest + plain, key=key, digest_size=TAG).digest()


def _xored(data: bytes, key: bytes, tag: bytes) -> bytes:
    stream = hashlib.shake_256(key + tag).digest(len(data))
    return (int.from_bytes(data) ^ int.from_bytes(stream)).to_bytes(len(data))

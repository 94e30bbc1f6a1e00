"""What a checkout's request says beside its body: its idempotency key and its If-Match."""

import hashlib
import json
from typing import Any

from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from carts.checkout import IdempotencyKey, Inspect
from carts.models import Cart
from carts.serializers import as_json
from productbackend.api import conditional

KEY_HEADER = "Idempotency-Key"
KEY_LENGTH_MAX = 255


def idempotency_key(request: Request) -> IdempotencyKey | None:
    """The request's key with a fingerprint of its method, path and body; None where it has no key."""
    value = request.headers.get(KEY_HEADER)
    if value is None:
        return None
    if not 1 <= len(value) <= KEY_LENGTH_MAX or not value.isprintable():
        raise ValidationError({KEY_HEADER: [f"It takes 1 to {KEY_LENGTH_MAX} printable characters."]})
    body = json.dumps(request.data, sort_keys=True, separators=(",", ":"), default=str)
    said = f"{request.method}\n{request.path}\n{body}"
    return IdempotencyKey(value, hashlib.sha256(said.encode()).hexdigest())


def consent(request: Request, seen: dict[str, Any] | None = None) -> Inspect:
    """Compares If-Match with the locked cart, at the prices that will be paid.

    With `seen` that is filled with how the cart looked, which is also kept for a replay.
    """

    def inspect(cart: Cart) -> dict[str, Any] | None:
        if seen is None and "If-Match" not in request.headers:
            return None  # nobody asks how it looks
        now = as_json(cart)
        conditional.require_match(request, now, "The cart has changed since you read it.", cart=now)
        if seen is None:
            return None
        seen.update(now)
        return now

    return inspect

"""The header Idempotency-Key, and how the document describes it."""

import hashlib
import json

from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from productbackend.database.idempotency import IdempotencyKey

KEY_HEADER = "Idempotency-Key"
KEY_LENGTH_MAX = 255
REPLAYED = OpenApiParameter(
    "Idempotent-Replayed", bool, OpenApiParameter.HEADER, response=True, description="true on a replayed response."
)


def key_parameter(what: str) -> OpenApiParameter:
    """The header as a parameter of an operation that returns `what`."""
    return OpenApiParameter(
        KEY_HEADER,
        {"type": "string", "pattern": f"^[!-~]([ -~]{{0,{KEY_LENGTH_MAX - 2}}}[!-~])?$"},
        OpenApiParameter.HEADER,
        description=f"Your own key of this request. A repeated request with the same key returns the same {what}.",
    )


def idempotency_key(request: Request) -> IdempotencyKey | None:
    """Return the request's key with a fingerprint of its method, path and body; None without a key.

    Raises ValidationError for a malformed key.
    """
    value = request.headers.get(KEY_HEADER)
    if value is None:
        return None
    if not 1 <= len(value) <= KEY_LENGTH_MAX or not value.isprintable():
        raise ValidationError({KEY_HEADER: [f"It must have 1 to {KEY_LENGTH_MAX} printable characters."]})
    body = json.dumps(request.data, sort_keys=True, separators=(",", ":"), default=str)
    text = f"{request.method}\n{request.path}\n{body}"
    return IdempotencyKey(value, hashlib.sha256(text.encode()).hexdigest())

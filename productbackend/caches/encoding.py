"""Serializes cache values as JSON, or as raw bytes with a prefix. Never as a pickle, which runs code when loaded."""

from typing import Any

import orjson

BYTES_PREFIX = b"\x00"  # no JSON begins with it
OPTIONS = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_SUBCLASS


def dumps(value: Any) -> bytes:
    """Serialize bytes or a JSON value. Raises TypeError for other types."""
    return BYTES_PREFIX + value if isinstance(value, bytes) else orjson.dumps(value, option=OPTIONS)


def loads(data: Any) -> Any:
    """Return the value that `dumps` serialized; None if the data is None or invalid."""
    if data is None:
        return None
    if data[:1] == BYTES_PREFIX:
        return data[1:]
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return None

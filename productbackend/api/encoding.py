"""JSON as answers have it: what DRF's encoder writes, ten times as fast."""

import json
from typing import Any

import orjson
from rest_framework.utils.encoders import JSONEncoder

# Times are DRF's to write, with their microseconds and a Z; keys may be what Python's own encoder takes.
OPTIONS = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_NON_STR_KEYS
_default = JSONEncoder().default


def dumps(data: Any) -> bytes:
    """`data` as compact JSON in UTF-8."""
    try:
        return orjson.dumps(data, default=_default, option=OPTIONS)
    except orjson.JSONEncodeError:  # a number of more than 64 bits
        return json.dumps(data, cls=JSONEncoder, ensure_ascii=False, separators=(",", ":")).encode()

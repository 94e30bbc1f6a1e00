"""Parsers of request bodies."""

import math
from typing import Any

from rest_framework import parsers
from rest_framework.exceptions import ParseError

DEPTH_MAX = 20
TOO_DEEP = f"The JSON is nested too deeply: {DEPTH_MAX} levels are allowed."


class JSONParser(parsers.JSONParser):
    """DRF's JSON parser, with a 400 instead of a 500 for JSON that is nested too deeply."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            data = super().parse(stream, media_type, parser_context)
        except RecursionError:
            raise ParseError(TOO_DEEP) from None
        except (UnicodeDecodeError, LookupError):
            raise ParseError("The body is not UTF-8.") from None
        check(data)
        return data


class MultiPartParser(parsers.MultiPartParser):
    """DRF's multipart parser, which drops empty text fields: forms send every field they show."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        parsed = super().parse(stream, media_type, parser_context)
        data = parsed.data.copy()
        for name in [name for name, values in data.lists() if not any(values)]:
            del data[name]
        return parsers.DataAndFiles(data, parsed.files)


def check(data: Any) -> None:
    """Reject valid JSON that no field accepts. Raises ParseError.

    These are lone surrogates, which no database stores; numbers that overflow to infinity; and deep nesting, which
    makes recursive code fail.
    """
    pending = [(data, 0)]
    while pending:
        value, depth = pending.pop()
        if depth > DEPTH_MAX:
            raise ParseError(TOO_DEEP)
        if isinstance(value, float) and not math.isfinite(value):
            raise ParseError("The JSON has a number that is too large.")
        if isinstance(value, str):
            try:
                value.encode()
            except UnicodeEncodeError:
                raise ParseError("The text has a lone surrogate: it is not Unicode.") from None
        elif isinstance(value, list):
            pending.extend((each, depth + 1) for each in value)
        elif isinstance(value, dict):
            pending.extend((each, depth + 1) for each in (*value, *value.values()))

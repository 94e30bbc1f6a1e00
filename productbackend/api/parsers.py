"""How bodies are read."""

from typing import Any

from rest_framework import parsers
from rest_framework.exceptions import ParseError

MAX_DEPTH_NOTE = "The JSON is nested too deeply."


class JSONParser(parsers.JSONParser):
    """DRF's, with a 400 for what would be a 500: JSON nested so deep that Python gives up."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            data = super().parse(stream, media_type, parser_context)
        except RecursionError:
            raise ParseError(MAX_DEPTH_NOTE) from None
        except (UnicodeDecodeError, LookupError):
            raise ParseError("The body is not UTF-8.") from None
        refuse_surrogates(data)
        return data


def refuse_surrogates(data: Any) -> None:
    """Lone surrogates are valid JSON escapes that no database stores."""
    pending = [data]
    while pending:
        value = pending.pop()
        if isinstance(value, str):
            if not value.isascii() and any("\ud800" <= char <= "\udfff" for char in value):
                raise ParseError("The text has a lone surrogate: it is not Unicode.")
        elif isinstance(value, list):
            pending.extend(value)
        elif isinstance(value, dict):
            pending.extend(value)
            pending.extend(value.values())

"""Log lines: JSON for machines or text for people, with secrets and e-mail addresses redacted."""

import json
import logging
import os
import re
import sys
from datetime import UTC, datetime
from typing import Any

import orjson

from productbackend.observability.context import current_context

# What an exception's message may quote: a duplicate value, a refused recipient, a malformed request. Our own code
# logs none of these, but libraries may. Each alternative begins at the start of its run of characters (lookbehind)
# and never within it: otherwise a long run would be scanned again from each of its characters.
SENSITIVE = re.compile(
    r"""
    (?P<query> \? [^\s"'<>\\]+ )
  | (?P<header> \b(?:authorization|cookie|set-cookie)\b ["']? \s*[:=] [^\n\r]+ )
  | (?P<secret> (?<![\w-]) [\w-]*(?:password|passwd|secret|token|session_?id|api_?key)\b ["']? \s*[:=]\s*
        (?! (?:YES|NO)\b ) (?: "[^"]*" | '[^']*' | [^\s,;&}]+ ) )
  | (?P<jwt> (?<![\w-]) (?= [\w-]+ \. [\w-] ) [\w-]*? eyJ[\w-]+ \. [\w-]+ (?:\.[\w-]*)? )
  | (?P<address> (?<! [^\s"'<>()\[\]{},:;=?&/\\] )
        [^\s"'<>()\[\]{},:;=?&/\\]+ (?:@|%40) [^\s"'<>()\[\]{},:;=?&/\\]+ )
    """,
    re.VERBOSE | re.IGNORECASE,
)
# Every match of SENSITIVE contains one of these, and few lines do: a cheap test before the expensive one.
MAYBE_SENSITIVE = re.compile("[@?=:]|%40|eyJ", re.IGNORECASE)
PATH_MAX, MESSAGE_MAX = 500, 2_000  # characters
# The middle of a longer traceback is cut out: the end has the error.
EXCEPTION_HEAD, EXCEPTION_TAIL = 4_000, 16_000


def redact(text: str, most: int = MESSAGE_MAX) -> str:
    """Return the first `most` characters of `text`, with possible secrets and addresses replaced by their kind."""
    if len(text) > most:
        # Redact before cutting, so that a secret that crosses the end is redacted as a whole.
        return f"{_redact(text[: 2 * most])[:most]}..."
    return _redact(text)


def _redact(text: str) -> str:
    if not MAYBE_SENSITIVE.search(text):
        return text
    return SENSITIVE.sub(lambda found: f"[{found.lastgroup}]", text)


def redact_traceback(formatted: str) -> str:
    """Redact a traceback; cut the middle out of a long one."""
    if len(formatted) > EXCEPTION_HEAD + EXCEPTION_TAIL:
        left_out = len(formatted) - EXCEPTION_HEAD - EXCEPTION_TAIL
        formatted = f"{formatted[:EXCEPTION_HEAD]}\n... {left_out} characters ...\n{formatted[-EXCEPTION_TAIL:]}"
    return _redact(formatted)


def redacted_message(record: logging.LogRecord) -> str:
    """Return a record's redacted message, as it is if `extra` has `is_redacted`."""
    message = record.getMessage()
    return message if getattr(record, "is_redacted", False) else redact(message)


# Control characters, line separators and marks of direction would let a client forge log lines.
CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def escape_control_characters(text: str) -> str:
    """Return `text` on one line, with control characters as backslash escapes."""
    return CONTROL_CHARACTERS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def log_context(record: logging.LogRecord) -> dict[str, Any]:
    """The fields of the current request or task, and how long it has taken so far."""
    context = current_context.get()
    if context is None:
        return {"request_id": None, "user_id": None, "task": None, "task_id": None, "duration_ms": None}
    return {
        "request_id": context.request_id,
        "user_id": context.user_id,
        "task": context.task,
        "task_id": context.task_id,
        "duration_ms": round(context.seconds * 1000, 2),
    }


class JSONFormatter(logging.Formatter):
    """Formats a record as one JSON object; `extra={"fields": {...}}` adds members."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname,
            "logger": record.name,
            "message": redacted_message(record),
            "process": record.process,
            **log_context(record),
            **getattr(record, "fields", {}),
            "exception": redact_traceback(self.formatException(record.exc_info)) if record.exc_info else None,
        }
        try:
            return orjson.dumps(line, default=str, option=orjson.OPT_UTC_Z).decode()
        except orjson.JSONEncodeError:  # a lone surrogate, which a path or a file name may have
            return json.dumps(line, default=str)


def write_unlocked(message: str, *args: Any, **kwargs: Any) -> None:
    """Write a line directly to stderr, from a signal handler, since the interrupted code may hold a logger's lock."""
    record = logging.LogRecord("celery.worker", logging.INFO, __file__, 0, message.strip(), None, None)
    os.write(sys.stderr.fileno(), f"{logging.getLogger().handlers[0].format(record)}\n".encode())


class TextFormatter(logging.Formatter):
    """Formats a line for people: time, process, level, logger, request id and message, then the traceback."""

    def format(self, record: logging.LogRecord) -> str:
        known = log_context(record)
        parts = {"user": known["user_id"], "task": known["task_id"], "ms": known["duration_ms"]}
        parts |= {name: getattr(record, "fields", {}).get(name) for name in ("route", "cache")}
        shown = " ".join(f"{name}={value}" for name, value in parts.items() if value is not None)
        line = (
            f"{self.formatTime(record)} {record.process} {record.levelname} {record.name} "
            f"[{known['request_id'] or '-'}] {redacted_message(record)}{f' ({shown})' if shown else ''}"
        )
        if not record.exc_info:
            return escape_control_characters(line)
        # Indented, since an error may quote line breaks: only a record begins at the margin.
        lines = redact_traceback(self.formatException(record.exc_info)).split("\n")
        return "\n".join([escape_control_characters(line), *(f"  {escape_control_characters(each)}" for each in lines)])

"""Log lines: JSON where machines read them, text where people do, and no secret and no address in either."""

import json
import logging
import os
import re
import sys
from datetime import UTC, datetime
from typing import Any

import orjson

from productbackend.work import current

# What an exception's message may quote: a duplicate value, a refused recipient, a malformed request. Nothing of
# ours writes these into a log; the rest is not ours.
UNSAFE = re.compile(
    r"""
    (?P<query> \? [^\s"'<>\\]+ )
  | (?P<header> \b(?:authorization|cookie|set-cookie)\b ["']? \s*[:=] [^\n\r]+ )
  | (?P<secret> \b[\w-]*(?:password|passwd|secret|token|session_?id|api_?key)\b ["']? \s*[:=]\s*
        (?! (?:YES|NO)\b ) (?: "[^"]*" | '[^']*' | [^\s,;&}]+ ) )
  | (?P<jwt> eyJ[\w-]+ \. [\w-]+ (?:\.[\w-]*)? )
  | (?P<address> [^\s"'<>()\[\]{},:;=?&/\\]+ (?:@|%40) [^\s"'<>()\[\]{},:;=?&/\\]+ )
    """,
    re.VERBOSE | re.IGNORECASE,
)
# One of these is in all that UNSAFE takes out, and in few lines: looking for them costs next to nothing.
SIGNS = ("@", "?", "=", ":", "%40", "eyJ")


def redacted(text: str) -> str:
    """`text` with what could be a secret or an address replaced by the name of what it was."""
    if not any(sign in text for sign in SIGNS):
        return text
    return UNSAFE.sub(lambda found: f"[{found.lastgroup}]", text)


def about(record: logging.LogRecord) -> dict[str, Any]:
    """Which request or task the record belongs to, and how long that had taken by then."""
    work = current.get()
    if work is None:
        return {"request_id": None, "user_id": None, "task": None, "task_id": None, "duration_ms": None}
    return {
        "request_id": work.request_id,
        "user_id": work.user_id,
        "task": work.task,
        "task_id": work.task_id,
        "duration_ms": round(work.seconds * 1000, 2),
    }


class JSONFormatter(logging.Formatter):
    """One object a line; `extra={"fields": {...}}` of a call adds members."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname,
            "logger": record.name,
            "message": redacted(record.getMessage()),
            "process": record.process,
            **about(record),
            **getattr(record, "fields", {}),
            "exception": redacted(self.formatException(record.exc_info)) if record.exc_info else None,
        }
        try:
            return orjson.dumps(line, default=str, option=orjson.OPT_UTC_Z).decode()
        except orjson.JSONEncodeError:  # half a character, as a strange path or file name may have
            return json.dumps(line, default=str)


def say(message: str, *args: Any, **kwargs: Any) -> None:
    """Write a line at once, from the handler of a signal, where the lock of a logger may be held below."""
    record = logging.LogRecord("celery.worker", logging.INFO, __file__, 0, message.strip(), None, None)
    os.write(sys.stderr.fileno(), f"{logging.getLogger().handlers[0].format(record)}\n".encode())


class TextFormatter(logging.Formatter):
    """A line for people: when, which process, how bad, who says it, for which request, what."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(process)d %(levelname)s %(name)s [%(request_id)s] %(message)s%(took)s")

    def format(self, record: logging.LogRecord) -> str:
        known = about(record)
        record.request_id = known["request_id"] or "-"
        parts = {"user": known["user_id"], "task": known["task_id"], "ms": known["duration_ms"]}
        parts |= {name: getattr(record, "fields", {}).get(name) for name in ("route", "cache")}
        shown = " ".join(f"{name}={value}" for name, value in parts.items() if value is not None)
        record.took = f" ({shown})" if shown else ""
        return redacted(super().format(record))

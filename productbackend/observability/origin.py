"""Who causes a change, and by which way in: from the current request, task or command."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from productbackend.observability.context import current_context

ADMIN_PATH = "/admin/"


class Way(StrEnum):
    """By which way in a change comes."""

    ADMIN = "admin"
    API = "api"
    IMPORT = "import"
    JOB = "job"
    COMMAND = "command"


@dataclass(frozen=True)
class Origin:
    """Who, and by which way in. `source` names the request, the task, the command or the file."""

    way: Way
    user_id: int | None = None
    source: str = ""


_given: ContextVar[Origin | None] = ContextVar("origin", default=None)


@contextmanager
def acting(way: Way, *, user_id: int | None = None, source: str = "") -> Iterator[None]:
    """Set the origin of what the block writes, such as an import that a worker runs for a member of staff."""
    token = _given.set(Origin(way, user_id, source))
    try:
        yield
    finally:
        _given.reset(token)


def origin() -> Origin:
    """The origin of what is written now. Without a request or a task it is a command on the server."""
    if given := _given.get():
        return given
    context = current_context.get()
    if context is None:
        return Origin(Way.COMMAND, source=_command())
    if context.request is None:
        return Origin(Way.JOB, context.user_id, context.task or "")
    way = Way.ADMIN if context.request.path_info.startswith(ADMIN_PATH) else Way.API
    return Origin(way, context.user_id, context.request_id or "")


def _command() -> str:
    """The name of the running command: `demo` of `manage.py demo`, `celery` of a worker."""
    name = Path(sys.argv[0]).name if sys.argv else ""
    return sys.argv[1] if name == "manage.py" and len(sys.argv) > 1 else name

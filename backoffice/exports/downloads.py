"""Exports as responses that are streamed: few of them at a time, and none for ever."""

import threading
import weakref
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from rest_framework.request import Request

from backoffice.exports import kinds, reading, writing
from backoffice.exports.kinds import Kind
from productbackend.errors import DomainError

AT_A_TIME = 2  # of the eight threads of a web process
SECONDS_MAX = 600.0  # of a download
XLSX_SECONDS_MAX = 45.0  # until the file is whole: the proxy waits 60 seconds for the first byte
XLSX_ROWS_MAX = 100_000
XLSX_CHARACTERS_MAX = 30_000_000  # of text; temporary files may be in memory
STALLED_SECONDS = 60.0  # for a piece of 64 KB
BUSY = f"{AT_A_TIME} exports are running here already: try again in a minute."

running = threading.BoundedSemaphore(AT_A_TIME)


class Download:
    """The pieces of a file. The first one is read immediately, so that its errors are responses of their own.

    It counts as running until it is closed, as a response is at its end or when its client has disconnected.
    """

    def __init__(
        self, pieces: Iterator[bytes], *, limit: threading.BoundedSemaphore | None = None, busy: str = BUSY
    ) -> None:
        """`limit` is that of exports if None.

        Raises DomainError `unavailable`, with the detail `busy`, if the limit is reached.
        """
        limit = limit or running
        if not limit.acquire(blocking=False):
            raise DomainError("unavailable", busy)
        self._end = weakref.finalize(self, limit.release)  # also if no server closes it
        self.pieces, self.deadline = pieces, reading.Deadline(SECONDS_MAX)
        try:
            self.first = next(pieces)
        except BaseException:
            self.close()
            raise

    def __iter__(self) -> Iterator[bytes]:
        yield self.first
        for piece in self.pieces:
            self.deadline.check()
            yield piece

    def close(self) -> None:
        self.pieces.close()  # type: ignore[attr-defined]  # a generator: it stops reading
        self._end()


def respond(request: HttpRequest | Request, kind: Kind, found: QuerySet[Any], format: str) -> StreamingHttpResponse:
    """The response with the rows of `found` as a file; without a body for HEAD.

    Raises DomainError: `unavailable` if too many exports are running or it takes too long; InvalidValue for an XLSX
    file that is too large. Errors after the first piece end the connection before the file is whole.
    """
    name = f"{kind.name}-{datetime.now(ZoneInfo(settings.SHOP_TIME_ZONE)):%Y-%m-%d}.{format}"
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
    }
    pieces: Any = ()
    if request.method != "HEAD":
        pieces = Download(_pieces(kind, found, format))
        limit_waiting(request)
    return StreamingHttpResponse(pieces, content_type=writing.TYPES[format], headers=headers)


def _pieces(kind: Kind, found: QuerySet[Any], format: str) -> Iterator[bytes]:
    kind = kinds.with_options(kind)
    if format == writing.CSV:
        return writing.csv_chunks(kind, reading.batches(kind, found))
    rows = reading.batches(kind, found, reading.Deadline(XLSX_SECONDS_MAX))
    return writing.xlsx_chunks(kind, rows, rows_max=XLSX_ROWS_MAX, characters_max=XLSX_CHARACTERS_MAX)


def limit_waiting(request: HttpRequest | Request) -> None:
    """End the connection to a client that takes no data for a minute. Gunicorn would wait for ever."""
    connection = request.META.get("gunicorn.socket")
    if connection is not None:
        connection.settimeout(STALLED_SECONDS)

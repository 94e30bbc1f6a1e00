"""Reads what is exported in slices, so that memory does not grow with the number of rows.

There is no consistent picture: each slice shows the database at the time when it was read. No transaction is open
between two of them.
"""

import time
from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

from backoffice.exports.kinds import Kind, Row
from productbackend.api.read_limit import bounded_reads
from productbackend.errors import DomainError

IDS_MAX = 10_000  # of a slice: the filters run once for each, and a search takes the same time for any number
ROWS_MAX = 500  # read together; a description may have 20,000 characters
STATEMENT_SECONDS_MAX = 20.0  # of one read


class Deadline:
    """Ends an export that takes too long: it occupies a thread that other requests need."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.end = time.monotonic() + seconds

    def check(self) -> None:
        """Raise DomainError `unavailable` if the time is over."""
        if time.monotonic() > self.end:
            detail = f"The export takes more than {self.seconds:.0f} seconds: narrow its filters, or use the command."
            raise DomainError("unavailable", detail)


def batches(kind: Kind, found: QuerySet[Any], deadline: Deadline | None = None) -> Iterator[list[Row]]:
    """The rows of `found`, a queryset of the kind's model, by ascending id. Raises DomainError `unavailable`."""
    for ids in _slices(found):
        for start in range(0, len(ids), ROWS_MAX):
            if deadline is not None:
                deadline.check()
            with bounded_reads(STATEMENT_SECONDS_MAX):
                rows = list(kind.rows(ids[start : start + ROWS_MAX]))
            yield rows


def _slices(found: QuerySet[Any]) -> Iterator[list[int]]:
    ordered, last = found.order_by("pk").values_list("pk", flat=True), 0
    while True:
        with bounded_reads(STATEMENT_SECONDS_MAX):
            ids = list(ordered.filter(pk__gt=last)[:IDS_MAX])
        if ids:
            yield ids
        if len(ids) < IDS_MAX:
            return
        last = ids[-1]

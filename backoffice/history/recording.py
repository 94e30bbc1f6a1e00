"""Stores changes, in the transaction of the write."""

from collections.abc import Sequence

from backoffice.history.models import SOURCE_MAX, Change
from productbackend.database.changes import ObjectChange
from productbackend.database.statements import Insert
from productbackend.observability.origin import Origin

BATCH = 500  # rows of one INSERT
INSERT = Insert(Change)


def store(changes: Sequence[ObjectChange], origin: Origin) -> None:
    """Write a row for each change: by one statement, or one for each 500."""
    rows = [(each.kind, each.object_id, each.name, each.action, each.fields) for each in changes]
    shared = {"user_id": origin.user_id, "way": origin.way, "source": origin.source[:SOURCE_MAX]}
    for start in range(0, len(rows), BATCH):
        INSERT.rows(("kind", "object_id", "object_name", "action", "fields"), rows[start : start + BATCH], **shared)

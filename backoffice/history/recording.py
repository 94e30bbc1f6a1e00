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
    rows = [
        Change(
            kind=change.kind,
            object_id=change.object_id,
            object_name=change.name,
            action=change.action,
            fields=change.fields,
            user_id=origin.user_id,
            way=origin.way,
            source=origin.source[:SOURCE_MAX],
        )
        for change in changes
    ]
    for start in range(0, len(rows), BATCH):
        INSERT.all(rows[start : start + BATCH])

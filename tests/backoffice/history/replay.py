"""What the history says that the objects are now, compared with the database: finds a writer that records nothing."""

from typing import Any

from backoffice.history.models import Change
from productbackend.database.changes import KINDS, Action


def differences() -> list[str]:
    """The recorded fields whose last recorded value is not the present one, of objects whose creation is recorded."""
    found = []
    by_label = {kind.label: kind for kind in KINDS.values()}
    said: dict[tuple[str, int], dict[str, Any]] = {}
    for row in Change.objects.order_by("pk"):
        if row.action == Action.CREATED:
            said[row.kind, row.object_id] = {}
        elif row.action == Action.DELETED:
            said.pop((row.kind, row.object_id), None)
        if (row.kind, row.object_id) in said:
            said[row.kind, row.object_id] |= {name: after for name, (_, after) in row.fields.items()}
    for (label, pk), fields in said.items():
        kind = by_label[label]
        now = kind.model._default_manager.get(pk=pk)
        change = kind.change(pk, Action.CREATED, kind.fields, {}, kind.values(now))
        present = {name: after for name, (_, after) in change.fields.items()} if change else {}
        found += [
            f"{label} {pk}: {name}" for name in kind.fields if (fields.get(name) or None) != (present.get(name) or None)
        ]
    return found

"""Takes a file: its table is stored in slices, so that workers on any machine can go on with it. The file is not."""

from collections.abc import Collection, Iterable
from typing import IO, Any

from django.conf import settings
from django.db import transaction

from backoffice.imports import progress, tables
from backoffice.imports.columns import COLUMNS
from backoffice.imports.models import Import, ImportSlice
from productbackend.errors import DomainError

SLICE_ROWS = 500
SLICE_CHARACTERS = 2_000_000  # below the largest packet of a database


def upload(
    *,
    file: IO[bytes],
    size: int,
    kind: str,
    mode: str,
    user_id: int | None,
    may: Collection[str],
    is_local: bool = False,
) -> Import:
    """Store the rows of a file. A worker checks them; with `is_local` the caller does.

    Raises InvalidValue if it is no table of this kind, and DomainError `too-large`.
    """
    if size > settings.IMPORT_MAX_BYTES:
        raise DomainError("too-large", f"The file may have {settings.IMPORT_MAX_BYTES:,} bytes at most.")
    table = tables.read(file, COLUMNS[Import.Kind(kind)])
    with transaction.atomic():
        row = Import.objects.create(
            kind=kind,
            mode=mode,
            columns=table.columns,
            has_decimal_commas=table.has_decimal_commas,
            user_id=user_id,
            may=sorted(may),
            claimed_at=progress.now() if is_local else None,
        )
        store(row, table.rows)
        if not row.rows:
            raise tables.refused("empty", "The file has no row below the header.")
        if not is_local:
            transaction.on_commit(lambda: progress.dispatch(row.pk), robust=True)
    return row


def store(row: Import, lines: Iterable[tables.Row]) -> None:
    """Store the rows of an import in slices. The caller is in the transaction that creates it."""
    rows: list[Any] = []
    characters = 0
    for each in lines:
        rows.append(tables.as_json(each))
        characters += sum(map(len, each.cells))
        row.rows += 1
        if len(rows) == SLICE_ROWS or characters > SLICE_CHARACTERS:
            _store_slice(row, rows)
            rows, characters = [], 0
    if rows:
        _store_slice(row, rows)
    row.save(update_fields=["rows", "slices"])


def _store_slice(row: Import, rows: list[Any]) -> None:
    ImportSlice.objects.create(parent=row, number=row.slices, rows=rows)
    row.slices += 1

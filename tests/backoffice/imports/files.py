"""Files to import, and imports that are taken to their end without a worker."""

import io
from collections.abc import Collection, Sequence
from typing import Any

import xlsxwriter

from backoffice.imports import planning, progress, starting, uploading
from backoffice.imports.models import Import, ImportRow


def upload(content: str | bytes, *, kind: str = "products", **fields: Any) -> Import:
    """The import of a file, not checked yet."""
    data = content.encode() if isinstance(content, str) else content
    fields = {"mode": "all_or_nothing", "user_id": None, "may": planning.PERMISSIONS} | fields
    return uploading.upload(file=io.BytesIO(data), size=len(data), kind=kind, **fields)


def check(content: str | bytes, **fields: Any) -> Import:
    row = upload(content, **fields)
    progress.work(row.pk)
    return Import.objects.get(pk=row.pk)


def run(row: Import, may: Collection[str] = planning.PERMISSIONS, user_id: int | None = None) -> Import:
    starting.start(import_id=row.pk, user_id=user_id, may=may)
    progress.work(row.pk)
    return Import.objects.get(pk=row.pk)


def counts(row: Import) -> tuple[int, int, int, int]:
    return row.created, row.changed, row.unchanged, row.refused


def lines(row: Import, outcome: str = "") -> list[tuple[int, str, str, str]]:
    rows = ImportRow.objects.filter(parent=row).order_by("number")
    rows = rows.filter(outcome=outcome) if outcome else rows
    return list(rows.values_list("number", "sku", "outcome", "message"))


def xlsx(rows: Sequence[Sequence[Any]]) -> bytes:
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file)
    sheet = book.add_worksheet()
    for number, row in enumerate(rows):
        sheet.write_row(number, 0, row)
    book.close()
    return file.getvalue()

"""Deletes old imports: docs/retention.md."""

from datetime import timedelta

from django.utils import timezone

from backoffice.imports.models import Import, ImportRow, ImportSlice
from productbackend.database.transactions import in_slices

STORED_FOR = timedelta(days=30)
SLICES_DELETED = 20  # by one statement: each has some hundred rows of text


def delete_old() -> int:
    """Delete the imports that were uploaded 30 days ago, whatever became of them. Returns how many."""
    count = 0
    for pk in list(Import.objects.filter(created_at__lt=timezone.now() - STORED_FOR).values_list("pk", flat=True)):
        for rows in in_slices(ImportRow.objects.filter(parent=pk)):
            rows.delete()
        for parts in in_slices(ImportSlice.objects.filter(parent=pk), SLICES_DELETED):
            parts.delete()
        Import.objects.filter(pk=pk).delete()
        count += 1
    return count

"""Starts the run of an import that was checked."""

from collections.abc import Collection

from django.db import transaction

from backoffice.imports import progress
from backoffice.imports.models import Import
from productbackend.database.transactions import atomic_with_retry
from productbackend.errors import DomainError

Status = Import.Status


@atomic_with_retry
def start(*, import_id: int, user_id: int | None, may: Collection[str], is_local: bool = False) -> tuple[Import, bool]:
    """Start the run, once. Returns the import, and whether this call has started it.

    What the user may not do now refuses rows. Raises DomainError: `not-found`, `import-state` while it is checked, and
    `import-refused` if rows are refused in an import of all or nothing, or it has failed.
    """
    row = Import.objects.select_for_update().filter(pk=import_id).first()
    if row is None:
        raise DomainError("not-found", "There is no such import.")
    if row.status in (Status.RUNNING, Status.DONE):
        return row, False
    if row.status == Status.CHECKING:
        raise DomainError("import-state", "The file is still being checked: read the import until it is checked.")
    if row.status == Status.FAILED:
        raise DomainError("import-refused", row.message, refused=row.refused)
    if row.refused and row.mode == Import.Mode.ALL_OR_NOTHING:
        raise DomainError("import-refused", row.message, refused=row.refused)
    row.status, row.user_id = Status.RUNNING, user_id
    row.may = sorted({*row.may} & {*may})
    row.claimed_at = progress.now() if is_local else None
    row.save(update_fields=["status", "user", "may", "claimed_at"])
    if not is_local:
        transaction.on_commit(lambda: progress.dispatch(row.pk), robust=True)
    return row, True

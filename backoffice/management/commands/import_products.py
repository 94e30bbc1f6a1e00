"""manage.py import_products: imports a file of products or of stock."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from backoffice.imports import planning, progress, starting, uploading
from backoffice.imports.models import Import, ImportRow
from productbackend.errors import DomainError

LISTED_MAX = 20  # refused rows
SHOWN_EVERY = 0.5  # seconds from one state of the progress bar to the next
Mode, Status = Import.Mode, Import.Status


class Command(BaseCommand):
    help = (
        "Check a file of products, CSV or XLSX, and import it. The shop can be in use meanwhile. If the command is "
        "interrupted or killed, workers go on with what it has begun: the check, or the run."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="the file to read")
        parser.add_argument("--kind", choices=Import.Kind.values, default=Import.Kind.PRODUCTS)
        parser.add_argument(
            "--row-by-row", action="store_true", help="import the other rows if some are refused, instead of none"
        )
        parser.add_argument("--check", action="store_true", help="say what would be done, and do nothing")

    def handle(self, *args: Any, file: Path, kind: str, row_by_row: bool, check: bool, **options: Any) -> None:
        self.verbosity = options["verbosity"]
        try:
            row = self.upload(file, kind, Mode.ROW_BY_ROW if row_by_row else Mode.ALL_OR_NOTHING)
            row = self.work(row, "check")
            self.report(row)
            if check:
                return
            starting.start(import_id=row.pk, user_id=None, may=planning.PERMISSIONS, is_local=True)
            row = self.work(row, "import")
        except KeyboardInterrupt:
            raise CommandError("Interrupted. Workers go on with the import.", returncode=130) from None
        except (OSError, DomainError) as error:
            raise CommandError(f"{file} was not imported: {getattr(error, 'detail', error)}") from None
        self.report(row)
        if row.status != Status.DONE:
            raise CommandError(f"{file} was not imported: {row.message}")

    def upload(self, file: Path, kind: str, mode: str) -> Import:
        with file.open("rb") as opened:
            return uploading.upload(
                file=opened,
                size=file.stat().st_size,
                kind=kind,
                mode=mode,
                user_id=None,
                may=planning.PERMISSIONS,
                is_local=True,
            )

    def work(self, row: Import, name: str) -> Import:
        """Go through the slices, as workers do; return the import as it is then."""
        # disable=None: no bar without a terminal.
        with tqdm(total=row.rows, desc=name, unit=" rows", disable=self.verbosity == 0 or None) as bar:
            for share in self.shares(row):
                bar.update(round(share * row.rows) - bar.n)
        return Import.objects.get(pk=row.pk)

    def shares(self, row: Import) -> Iterator[float]:
        held = progress.Claim.of(Import.objects.get(pk=row.pk))
        try:
            while progress.do_slices(held, seconds=SHOWN_EVERY):
                yield Import.objects.get(pk=row.pk).progress
        finally:
            held.release()
        row = Import.objects.get(pk=row.pk)
        yield row.progress
        if row.status in progress.WORK:
            raise DomainError("unavailable", "A worker has taken over the import.")

    def report(self, row: Import) -> None:
        if self.verbosity == 0:
            return
        counts = ", ".join(f"{getattr(row, name):,} {name}" for name in ImportRow.Outcome.values)
        self.stdout.write(f"Import {row.pk} is {row.status}: {row.rows:,} rows, of these {counts}.")
        refused = ImportRow.objects.filter(parent=row, outcome=ImportRow.Outcome.REFUSED).order_by("number")
        for line in refused[:LISTED_MAX]:
            self.stdout.write(f"Row {line.number}, {line.sku}: {line.message}")
        if row.refused > LISTED_MAX:
            self.stdout.write(f"Further rows that are refused: {row.refused - LISTED_MAX:,}.")

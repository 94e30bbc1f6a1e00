"""manage.py export_products: writes all products to a file."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from backoffice.exports import kinds, reading, writing
from backoffice.exports.kinds import Row
from productbackend.errors import DomainError
from products.models import Product


class Command(BaseCommand):
    help = (
        "Write all products, hidden ones too, to a file, with the columns that an import takes. The shop can be in use "
        "meanwhile. The file appears when it is whole; if the command is interrupted, there is none."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="the file to write, such as products.csv")
        parser.add_argument(
            "--format",
            choices=list(writing.TYPES),
            help="by default xlsx if the name ends in .xlsx, else csv",
        )
        parser.add_argument("--force", action="store_true", help="replace the file if it exists")

    def handle(self, *args: Any, file: Path, format: str | None, force: bool, verbosity: int, **options: Any) -> None:
        format = format or (writing.XLSX if file.suffix.lower() == ".xlsx" else writing.CSV)
        partial = file.with_name(f".{file.name}.{os.getpid()}.part")
        self.refuse(file, force)
        total = Product.objects.count()
        terminated = signal.signal(signal.SIGTERM, signal.default_int_handler)  # it ends as by Ctrl-C
        # disable=None: no bar without a terminal.
        with tqdm(total=total, unit=" products", unit_scale=True, disable=verbosity == 0 or None) as self.bar:
            try:
                self.write(partial, format)
                self.refuse(file, force)  # it may have appeared meanwhile
                partial.replace(file)
            except KeyboardInterrupt:
                raise CommandError(f"Interrupted. {file} was not written.", returncode=130) from None
            except (OSError, DomainError) as error:
                raise CommandError(f"{file} was not written: {getattr(error, 'detail', error)}") from None
            finally:
                partial.unlink(missing_ok=True)
                signal.signal(signal.SIGTERM, terminated)
        if verbosity > 0:
            self.stdout.write(f"{file} has {self.written:,} products.")

    def write(self, path: Path, format: str) -> None:
        self.written, self.kind = 0, kinds.with_options(kinds.PRODUCTS)
        if format == writing.XLSX:
            writing.write_xlsx(self.kind, self.batches(), path)
            return
        with path.open("xb") as file:
            for piece in writing.csv_chunks(self.kind, self.batches()):
                file.write(piece)

    def batches(self) -> Iterator[list[Row]]:
        for rows in reading.batches(self.kind, Product.objects.all()):
            yield rows
            self.written += len(rows)
            self.bar.update(len(rows))

    @staticmethod
    def refuse(file: Path, force: bool) -> None:
        if file.is_dir():
            raise CommandError(f"{file} is a folder: name a file in it.")
        if file.exists() and not force:
            raise CommandError(f"{file} exists: name another file, or replace it with --force.")

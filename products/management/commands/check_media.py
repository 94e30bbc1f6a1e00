"""manage.py check_media: compares the file store with the images' rows."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from productbackend.errors import FileStoreUnavailable
from products.images import audit
from products.models import ProductImage


class Command(BaseCommand):
    help = (
        "List the orphans (files that belong to no image; those younger than an hour are skipped, for they may belong "
        "to an upload in progress) and the images whose files are missing. The exit code is 1 if a problem remains. "
        "Files whose names this service does not generate are listed separately and not changed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--delete", action="store_true", help="remove the files that belong to no image")

    def handle(self, *args: Any, delete: bool, **options: Any) -> None:
        self.files = self.orphans = self.remaining = self.foreign = 0
        try:
            self.check_files(delete)
            images, missing = self.check_images()
        except FileStoreUnavailable as error:
            raise CommandError(error.detail) from None
        foreign = f" {self.foreign:,} files that are not the service's own were ignored." if self.foreign else ""
        if self.remaining or missing:
            raise CommandError(
                f"{self.remaining:,} of {self.files:,} files belong to no image, "
                f"{missing:,} files of {images:,} images are gone.{foreign}"
            )
        removed = f" {self.orphans:,} files that belonged to no image were removed." if self.orphans else ""
        self.stdout.write(f"{self.files - self.orphans:,} files and {images:,} images agree.{removed}{foreign}")

    def check_files(self, delete: bool) -> None:
        """List orphans and foreign files."""
        # disable=None: no bar without a terminal.
        with tqdm(unit=" files", disable=None) as bar:
            for found in audit.scan():
                remaining = audit.remove(found.orphans) if delete else found.orphans
                self.files += found.files - len(found.foreign)
                self.orphans, self.remaining = self.orphans + len(found.orphans), self.remaining + len(remaining)
                self.foreign += len(found.foreign)
                for name in found.orphans:
                    self.write_line(bar, f"{name}: belongs to no image{'' if name in remaining else ', removed'}")
                for name in found.foreign:
                    self.write_line(bar, f"{name}: not the service's own")
                bar.update(found.files)

    def check_images(self) -> tuple[int, int]:
        """List missing files. Returns the numbers of images and of missing files."""
        images = gone = 0
        with tqdm(total=ProductImage.objects.count(), unit=" images", disable=None) as bar:
            for count, missing in audit.missing_files():
                images, gone = images + count, gone + len(missing)
                for file in missing:
                    self.write_line(bar, f"image {file.image_id} of product {file.product_id}: {file.name} is gone")
                bar.update(count)
        return images, gone

    def write_line(self, bar: Any, line: str) -> None:
        bar.clear()
        self.stdout.write(line.encode(errors="backslashreplace").decode())  # a file's name may not be valid text

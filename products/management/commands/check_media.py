"""manage.py check_media: whether the file store and the rows agree."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from productbackend.errors import FileStoreUnavailable
from products import media_check
from products.models import ProductImage


class Command(BaseCommand):
    help = (
        "Name the files that belong to no image (those younger than an hour may belong to an upload under way), and "
        "the images whose files are gone. The exit code is 1 where something is wrong and stays so. Files with names "
        "that the service does not give are named apart, and never touched."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--delete", action="store_true", help="remove the files that belong to no image")

    def handle(self, *args: Any, delete: bool, **options: Any) -> None:
        self.files = self.strays = self.left = self.foreign = 0
        try:
            self.check_files(delete)
            images, missing = self.check_images()
        except FileStoreUnavailable as error:
            raise CommandError(error.detail) from None
        apart = f" {self.foreign:,} files that are not the service's own were left alone." if self.foreign else ""
        if self.left or missing:
            raise CommandError(
                f"{self.left:,} of {self.files:,} files belong to no image, "
                f"{missing:,} files of {images:,} images are gone.{apart}"
            )
        removed = f" {self.strays:,} files that belonged to no image were removed." if self.strays else ""
        self.stdout.write(f"{self.files - self.strays:,} files and {images:,} images agree.{removed}{apart}")

    def check_files(self, delete: bool) -> None:
        """Name what belongs to no image, and what is not ours."""
        # disable=None: no bar where there is no terminal.
        with tqdm(unit=" files", disable=None) as bar:
            for found in media_check.look():
                left = media_check.remove(found.strays) if delete else found.strays
                self.files += found.files - len(found.foreign)
                self.strays, self.left = self.strays + len(found.strays), self.left + len(left)
                self.foreign += len(found.foreign)
                for name in found.strays:
                    self.say(bar, f"{name}: belongs to no image{'' if name in left else ', removed'}")
                for name in found.foreign:
                    self.say(bar, f"{name}: not the service's own")
                bar.update(found.files)

    def check_images(self) -> tuple[int, int]:
        """Name what is gone; returns how many images there are, and how many files are gone."""
        images = gone = 0
        with tqdm(total=ProductImage.objects.count(), unit=" images", disable=None) as bar:
            for count, gaps in media_check.missing():
                images, gone = images + count, gone + len(gaps)
                for gap in gaps:
                    self.say(bar, f"image {gap.image_id} of product {gap.product_id}: {gap.name} is gone")
                bar.update(count)
        return images, gone

    def say(self, bar: Any, line: str) -> None:
        bar.clear()
        self.stdout.write(line.encode(errors="backslashreplace").decode())  # a file's name may be no text

"""manage.py check_media: whether the file store and the rows agree."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from products import media_check
from products.models import ProductImage


class Command(BaseCommand):
    help = (
        "Name the files that belong to no image (those younger than an hour may belong to an upload under way), and "
        "the images whose files are gone. The exit code is 1 where something is wrong and stays so."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--delete", action="store_true", help="remove the files that belong to no image")

    def handle(self, *args: Any, delete: bool, **options: Any) -> None:
        files, strays, left = self.check_files(delete)
        images, missing = self.check_images()
        if left or missing:
            raise CommandError(
                f"{left:,} of {files:,} files belong to no image, {missing:,} files of {images:,} images are gone."
            )
        removed = f" {strays:,} files that belonged to no image were removed." if strays else ""
        self.stdout.write(f"{files - strays:,} files and {images:,} images agree.{removed}")

    def check_files(self, delete: bool) -> tuple[int, int, int]:
        """Name what belongs to no image; returns how many files there were, how many such, how many such are left."""
        files = strays = left = 0
        # disable=None: no bar where there is no terminal.
        with tqdm(unit=" files", disable=None) as bar:
            for count, names in media_check.strays():
                kept = media_check.remove(names) if delete else names
                files, strays, left = files + count, strays + len(names), left + len(kept)
                for name in names:
                    self.say(bar, f"{name}: belongs to no image{'' if name in kept else ', removed'}")
                bar.update(count)
        return files, strays, left

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

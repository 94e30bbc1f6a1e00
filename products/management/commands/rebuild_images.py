"""manage.py rebuild_images: all renditions as the settings want them by now."""

import os
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from productbackend.errors import FileStoreUnavailable
from products import rebuilding
from products.management.commands.demo import whole
from products.models import ProductImage


class Command(BaseCommand):
    help = (
        "Make the renditions of ready images anew where they are not as the settings want them. It can be stopped at "
        "any time; the same command goes on from there. The exit code is 1 where one could not be made."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--all", action="store_true", help="also those that are as the settings want them")
        parser.add_argument(
            "--processes",
            type=whole(1, 256),
            default=os.cpu_count() or 1,
            metavar="N",
            help="how many at once (default: one a core)",
        )

    def handle(self, *args: Any, processes: int, **options: Any) -> None:
        self.made = self.failed = 0
        total = ProductImage.objects.filter(status=ProductImage.Status.READY).count()
        # disable=None: no bar where there is no terminal.
        with tqdm(total=total, unit=" images", disable=None) as self.bar:
            try:
                for image_id, problem in rebuilding.rebuild_all(self.ids(options["all"]), processes=processes):
                    self.note(image_id, problem)
            except KeyboardInterrupt:
                raise CommandError("Stopped. The same command goes on from here.", returncode=130) from None
            except FileStoreUnavailable as error:
                raise CommandError(f"{error.detail} The same command goes on from here.") from None
        if self.failed:
            raise CommandError(
                f"{self.failed:,} images keep the renditions that they had; {self.made:,} were made anew."
            )
        self.stdout.write(f"{total:,} images are as the settings want them; {self.made:,} were made anew.")

    def ids(self, everything: bool) -> Iterator[int]:
        """Those to be made anew; the bar moves over the others."""
        for count, due in rebuilding.due(everything=everything):
            self.bar.update(count - len(due))
            yield from due

    def note(self, image_id: int, problem: str | None) -> None:
        self.bar.update()
        if problem is None:
            self.made += 1
            return
        self.failed += 1
        self.bar.clear()
        self.stdout.write(f"image {image_id}: {problem}")

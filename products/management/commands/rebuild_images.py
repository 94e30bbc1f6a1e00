"""manage.py rebuild_images: adds missing renditions, and rebuilds those that do not match the settings."""

import os
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from productbackend.errors import FileStoreUnavailable
from products.images import rebuild
from products.management.commands.demo import whole_number
from products.models import ProductImage


class Command(BaseCommand):
    help = (
        "Add the renditions that ready images lack, without changing those that exist. If one that exists does not "
        "match the settings, the image gets new files under new names; the old ones are deleted an hour later. It can "
        "be interrupted at any time; run the same command to continue. The exit code is 1 if an image could not be "
        "rebuilt."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--all", action="store_true", help="also rebuild those that match the settings")
        parser.add_argument(
            "--processes",
            type=whole_number(1, 256),
            default=os.cpu_count() or 1,
            metavar="N",
            help="how many run concurrently (default: one per core)",
        )

    def handle(self, *args: Any, processes: int, **options: Any) -> None:
        self.rebuilt = self.failed = 0
        total = ProductImage.objects.filter(status=ProductImage.Status.READY).count()
        # disable=None: no bar without a terminal.
        with tqdm(total=total, unit=" images", disable=None) as self.bar:
            found = rebuild.rebuild_all(self.ids(options["all"]), processes=processes, everything=options["all"])
            try:
                for image_id, problem in found:
                    self.report(image_id, problem)
            except KeyboardInterrupt:
                raise CommandError("Interrupted. Run the same command to continue.", returncode=130) from None
            except FileStoreUnavailable as error:
                raise CommandError(f"{error.detail} Run the same command to continue.") from None
        if self.failed:
            raise CommandError(
                f"{self.failed:,} images could not be rebuilt and keep their renditions; {self.rebuilt:,} were rebuilt."
            )
        self.stdout.write(f"{total:,} images match the settings; {self.rebuilt:,} were rebuilt.")

    def ids(self, everything: bool) -> Iterator[int]:
        """The ids of images to rebuild. Advances the bar over the others."""
        for count, outdated in rebuild.outdated(everything=everything):
            self.bar.update(count - len(outdated))
            yield from outdated

    def report(self, image_id: int, problem: str | None) -> None:
        self.bar.update()
        if problem is None:
            self.rebuilt += 1
            return
        self.failed += 1
        self.bar.clear()
        self.stdout.write(f"image {image_id}: {problem}")

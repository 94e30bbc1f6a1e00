"""Fills the shop with a demo catalogue."""

import argparse
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from products.demo import catalogue
from products.demo.pictures import make_pictures, missing

PICTURES = 40
LINES = 10  # of progress, where there is no terminal to draw a bar on


class Command(BaseCommand):
    help = (
        "Fills the shop with a demo catalogue of N products, N in all: what an earlier call made stays and counts. "
        "It can be stopped at any time; the same command goes on from there."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--products",
            type=whole(1, catalogue.MOST),
            default=100,
            metavar="N",
            help="how many products the demo has in all (default: 100)",
        )
        parser.add_argument(
            "--pictures",
            type=whole(0, catalogue.MOST),
            default=PICTURES,
            metavar="N",
            help=f"how many of them, the first ones, get pictures (default: {PICTURES})",
        )
        parser.add_argument(
            "--seed", type=int, default=1, metavar="N", help="another seed makes another catalogue (default: 1)"
        )

    def handle(self, *args: Any, products: int, pictures: int, seed: int, verbosity: int, **options: Any) -> None:
        self.quiet = verbosity == 0
        try:
            sorts = catalogue.make_categories()
            made = self.make_products(products, seed, sorts)
            drawn = self.make_pictures(min(products, pictures), seed, sorts)
        except KeyboardInterrupt:
            raise CommandError("Stopped. The same command goes on from here.", returncode=130) from None
        self.say(f"The demo has {products:,} products ({made:,} of them new); {drawn:,} pictures were added.")

    def make_products(self, total: int, seed: int, sorts: list[catalogue.Sort]) -> int:
        """Show the progress of making them; returns how many are new."""
        made, done, step = 0, 0, -(-total // LINES)
        # disable=None: no bar where standard error is no terminal.
        with tqdm(total=total, unit=" products", unit_scale=True, disable=self.quiet or None) as bar:
            for batch, new in catalogue.make_products(total, seed=seed, sorts=sorts):
                bar.update(batch)
                made, before, done = made + new, done, done + batch
                if bar.disable and done < total and done // step > before // step:
                    self.say(f"{done:,} of {total:,} products")
        return made

    def make_pictures(self, total: int, seed: int, sorts: list[catalogue.Sort]) -> int:
        """Give pictures to those of the first `total` that have none; returns how many did."""
        bare = missing(total) if total else []
        pictures = make_pictures(bare, seed=seed, sorts=sorts)
        return sum(1 for _ in tqdm(pictures, total=len(bare), unit=" pictures", disable=self.quiet or None))

    def say(self, line: str) -> None:
        if not self.quiet:
            self.stdout.write(line)
            self.stdout.flush()


def whole(least: int, most: int) -> Callable[[str], int]:
    """An argument that is a whole number within bounds."""

    def number(raw: str) -> int:
        if not raw.isascii() or not raw.isdigit() or not least <= int(raw) <= most:
            raise argparse.ArgumentTypeError(f"{raw!r} does not fit: it takes a whole number from {least} to {most:,}.")
        return int(raw)

    return number

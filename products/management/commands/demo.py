"""manage.py demo: creates a demo catalogue."""

import argparse
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from productbackend.database.changes import unrecorded
from products.management.demo import catalogue
from products.management.demo.pictures import make_pictures, without_pictures
from products.models import Category, Product

PROGRESS_LINES = 10  # without a terminal for a progress bar


class Command(BaseCommand):
    help = (
        "Create a demo catalogue of N products in total, including those of earlier calls. "
        "It can be interrupted at any time; run the same command to continue."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--products",
            type=whole_number(1, catalogue.PRODUCTS_MAX),
            default=200,
            metavar="N",
            help="how many products the demo has in all (default: 200)",
        )
        parser.add_argument(
            "--pictures",
            type=whole_number(0, catalogue.PRODUCTS_MAX),
            metavar="N",
            help="how many of them, the first ones, get pictures (default: all)",
        )
        parser.add_argument(
            "--seed", type=int, default=1, metavar="N", help="another seed makes another catalogue (default: 1)"
        )
        parser.add_argument("--if-empty", action="store_true", help="do nothing if there are products")

    def handle(
        self, *args: Any, products: int, pictures: int | None, seed: int, verbosity: int, **options: Any
    ) -> None:
        self.quiet = verbosity == 0
        if options["if_empty"] and Product.objects.exists():
            return
        self.write_line(f"Creating a demo catalogue of {products:,} products")
        try:
            with unrecorded():
                demo_categories = catalogue.make_categories()
                created = self.make_products(products, seed, demo_categories)
            pictured = self.make_pictures(products if pictures is None else min(products, pictures), seed)
        except KeyboardInterrupt:
            raise CommandError("Interrupted. Run the same command to continue.", returncode=130) from None
        self.write_line(
            f"The demo has {products:,} products ({created:,} of them new); {pictured:,} pictures were added."
        )

    def make_products(self, total: int, seed: int, demo_categories: list[Category]) -> int:
        """Create the products and show the progress. Returns how many are new."""
        created, done, step = 0, 0, -(-total // PROGRESS_LINES)
        # disable=None: no bar if standard error is not a terminal.
        with tqdm(total=total, unit=" products", unit_scale=True, disable=self.quiet or None) as bar:
            for batch, new in catalogue.make_products(total, seed=seed, demo_categories=demo_categories):
                bar.update(batch)
                created, before, done = created + new, done, done + batch
                if bar.disable and done < total and done // step > before // step:
                    self.write_line(f"{done:,} of {total:,} products")
        return created

    def make_pictures(self, total: int, seed: int) -> int:
        """Add pictures to those of the first `total` products that have none. Returns how many were added."""
        products = without_pictures(total) if total else []
        pictures = make_pictures(products, seed=seed)
        return sum(1 for _ in tqdm(pictures, total=len(products), unit=" pictures", disable=self.quiet or None))

    def write_line(self, line: str) -> None:
        if not self.quiet:
            self.stdout.write(line)
            self.stdout.flush()


def whole_number(minimum: int, maximum: int) -> Callable[[str], int]:
    """A parser of arguments that are whole numbers from `minimum` to `maximum`."""

    def parse(raw: str) -> int:
        if not raw.isascii() or not raw.isdigit() or not minimum <= int(raw) <= maximum:
            raise argparse.ArgumentTypeError(f"{raw!r} is invalid: enter a whole number from {minimum} to {maximum:,}.")
        return int(raw)

    return parse

"""manage.py rebuild_search: recomputes the keys, search text and suggestions of products and categories."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from products.models import Category, Product
from products.reads import caching
from products.search import derived, suggestions


class Command(BaseCommand):
    help = (
        "Recompute the keys, search text and suggestions of products and categories that differ from this version's "
        "rules, for example after a change of SEARCH_LANGUAGE. The shop can be in use meanwhile. It can be interrupted "
        "at any time, and run again."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        suggestions.refresh_categories(Category.objects.all())
        clashing = derived.refresh_categories(Category.objects.all())
        total = Product.objects.count()
        # disable=None: no bar without a terminal.
        with tqdm(total=total, unit=" products", disable=None) as self.bar:
            try:
                written = derived.refresh_products(Product.objects.all(), Category.objects.all(), self.report)
            except KeyboardInterrupt:
                raise CommandError("Interrupted. Run the same command to continue.", returncode=130) from None
        caching.catalogue_changed()
        self.stdout.write(f"{total:,} products are up to date; {written:,} of them were updated.")
        if clashing:
            raise CommandError(derived.clash(clashing))

    def report(self, ids: list[int]) -> None:
        suggestions.refresh_products(Product.objects.filter(pk__in=ids).only("pk", "name", "brand", "brand_key"))
        self.bar.update(len(ids))

"""manage.py make_feeds: writes the sitemap and the Google feed."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from backoffice.feeds import addresses, building, page
from productbackend.errors import DomainError
from products.models import Product


class Command(BaseCommand):
    help = (
        "Write the sitemap and the feed for Google, as a job does each hour. The former files are served until the new "
        "ones are whole. A run that was interrupted or killed is continued, by this command or by workers."
    )

    def handle(self, *args: Any, verbosity: int, **options: Any) -> None:
        if not addresses.is_on():
            raise CommandError("There is no sitemap and no feed: SHOP_PRODUCT_URL is not set.")
        # disable=None: no bar without a terminal.
        with tqdm(total=Product.objects.count(), unit=" products", disable=verbosity == 0 or None) as bar:
            try:
                build = building.make(report=bar.update)
            except KeyboardInterrupt:
                raise CommandError("Interrupted. Workers go on with it.", returncode=130) from None
            except (OSError, DomainError) as error:
                raise CommandError(f"The files were not written: {getattr(error, 'detail', error)}") from None
        if verbosity > 0:
            left_out = page.left_out(build)
            self.stdout.write(
                f"The sitemap has {build.urls:,} products, the Google feed {build.items:,}."
                + (f" Left out of the feed: {left_out}." if left_out else "")
            )

"""The service's settings with the yardsticks' paths; CATALOGUE_CACHE=off disables the page cache."""

import os

from productbackend.settings import *  # noqa: F403
from productbackend.settings import MIDDLEWARE

ROOT_URLCONF = "benchmarks.yardstick"
PAGES = "products.reads.page_cache.CataloguePages"
if os.environ.get("CATALOGUE_CACHE") == "off":
    MIDDLEWARE = [name for name in MIDDLEWARE if name != PAGES]
else:
    index = MIDDLEWARE.index(PAGES) + 1
    MIDDLEWARE = [*MIDDLEWARE[:index], "benchmarks.yardstick.CountMisses", *MIDDLEWARE[index:]]

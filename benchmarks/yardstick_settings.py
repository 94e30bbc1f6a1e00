"""The service's own settings and the yardsticks' paths; CATALOGUE_CACHE=off takes the cache of pages out."""

import os

from productbackend.settings import *  # noqa: F403
from productbackend.settings import MIDDLEWARE

ROOT_URLCONF = "benchmarks.yardstick"
PAGES = "products.page_cache.CataloguePages"
if os.environ.get("CATALOGUE_CACHE") == "off":
    MIDDLEWARE = [name for name in MIDDLEWARE if name != PAGES]
else:
    place = MIDDLEWARE.index(PAGES) + 1
    MIDDLEWARE = [*MIDDLEWARE[:place], "benchmarks.yardstick.CountMisses", *MIDDLEWARE[place:]]

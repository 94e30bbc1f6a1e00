"""What apps above products add to its pages. They append to these lists in their admin modules."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest

from productbackend.site.admin import Link

LIST_LINKS: list[Callable[[HttpRequest], list[Link]]] = []  # of the list of products
LIST_ACTIONS: list[Callable[..., Any]] = []  # of the list of products

"""What apps above orders add to its pages. They append to these lists in their admin modules."""

from collections.abc import Callable

from django.contrib.admin.options import InlineModelAdmin
from django.db.models import QuerySet
from django.http import HttpRequest

from orders.models import Order
from productbackend.site.admin import Link

INLINES: list[type[InlineModelAdmin]] = []  # of an order's page
LIST_LINKS: list[Callable[[HttpRequest], list[Link]]] = []  # of the list of orders
# Sentences above the list of orders, about the orders that its filters find.
LIST_NOTES: list[Callable[[HttpRequest, QuerySet[Order]], list[str]]] = []
# Sentences on the pages that confirm a cancellation, of one order and of the selected ones: what else it causes.
CANCEL_NOTES: list[Callable[[HttpRequest, Order], list[str]]] = []
CANCEL_ALL_NOTES: list[Callable[[HttpRequest, QuerySet[Order]], list[str]]] = []

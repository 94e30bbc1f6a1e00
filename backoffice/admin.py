"""The back office in the admin: exports of the lists of products and orders, and the panels of the home page.

Django reads the pages of the back office from here: those of the history, of imports and of bulk work are
in their packages.
"""

from collections.abc import Callable

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from backoffice.bulk.admin import BulkAdmin
from backoffice.dashboard import page, reading, rollups, sales
from backoffice.exports import downloads, kinds, writing
from backoffice.exports.kinds import Kind
from backoffice.feeds import page as feeds_page
from backoffice.history import admin as history_admin  # noqa: F401  (registers its pages)
from backoffice.imports.admin import ImportAdmin
from orders.admin import seams as orders_seams
from orders.admin.filters import product_id
from orders.models import Order
from productbackend.errors import DomainError
from productbackend.site import home
from productbackend.site.admin import COUNT_MAX, Link
from productbackend.site.days import Days
from productbackend.text.formats import money
from products.admin import seams as products_seams

__all__ = ["BulkAdmin", "ImportAdmin", "export_list", "links_of"]

KINDS = {kind.name: kind for kind in (kinds.PRODUCTS, kinds.ORDERS)}
FORMATS = {writing.CSV: "Export CSV", writing.XLSX: "Export XLSX"}
FORMAT = "_format"  # no filter of a list has this name
SUMMED_DAYS_MAX = 31
OF_THE_PAGE = {"sold", "day", "p", "o"}  # in the query of a list to which the home page leads
PAGING = ("p", "all", "o")  # the page, and the order: a file has all rows, by id


def export_list(request: HttpRequest, kind: str) -> HttpResponseBase:
    """The rows of the list with the filters and the search of the query, as a file."""
    if kind not in KINDS:
        raise Http404
    exported = KINDS[kind]
    query = request.GET.copy()
    [format] = query.pop(FORMAT, [])[-1:] or [writing.CSV]
    if format not in FORMATS:
        raise Http404
    for name in PAGING:
        query.pop(name, None)
    request.GET = query  # type: ignore[assignment]  # the changelist reads its filters there
    listing = admin.site.get_model_admin(exported.model)
    if not listing.has_view_permission(request):
        raise PermissionDenied
    if request.method not in ("GET", "HEAD"):
        raise Http404
    list_url = reverse(f"admin:{listing.opts.app_label}_{listing.opts.model_name}_changelist")
    try:
        found = listing.get_changelist_instance(request).queryset
        return downloads.respond(request, exported, found, format)
    except IncorrectLookupParameters:
        return HttpResponseRedirect(f"{list_url}?e=1")  # as the list itself does
    except DomainError as error:
        listing.message_user(request, f"Nothing was exported. {error.detail}", messages.ERROR)
        return HttpResponseRedirect(f"{list_url}?{query.urlencode()}")


def links_of(kind: Kind) -> Callable[[HttpRequest], list[Link]]:
    """The links that export the rows of a list with its present filters and search."""

    def links(request: HttpRequest) -> list[Link]:
        found = []
        for format, label in FORMATS.items():
            query = request.GET.copy()
            query[FORMAT] = format
            found.append(Link(label, f"{reverse('admin-export', args=[kind.name])}?{query.urlencode()}"))
        return found

    return links


products_seams.LIST_LINKS.append(links_of(kinds.PRODUCTS))
orders_seams.LIST_LINKS.append(links_of(kinds.ORDERS))


def sold_note(request: HttpRequest, orders: QuerySet[Order]) -> list[str]:
    """The sums of the orders that the list shows, if they are sales of some days: what the home page counts."""
    try:
        days = Days.parse(request.GET.get("day", ""))
    except ValueError:
        return []
    if request.GET.get("sold") != "yes" or len(days) > SUMMED_DAYS_MAX:
        return []
    product = product_id(request.GET.get("product", "")) or None
    if orders.order_by()[:COUNT_MAX].count() < COUNT_MAX:
        found = sales.figures(orders, product_id=product)
    elif {*request.GET} <= OF_THE_PAGE and {*days} <= {*rollups.window()}:
        found = reading.read(days).total  # adding them up would take seconds
    else:
        return []
    of = " of the product" if product else ""
    money_text = money(found.revenue, settings.CURRENCY)
    return [f"Orders: {found.orders:,}. Revenue: {money_text}. Pieces{of}: {found.pieces:,}. {sales.DEFINITION}"]


orders_seams.LIST_NOTES.append(sold_note)
home.PANELS.extend(
    [
        home.Panel("backoffice/sales.html", page.sales_panel),
        home.Panel("backoffice/running_out.html", page.running_out),
        home.Panel("backoffice/feeds.html", feeds_page.panel),
    ]
)

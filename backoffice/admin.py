"""Exports in the admin: links at the top of a list, and the file with the rows that the list shows.

Django reads the pages of the back office from here: those of imports are in their package.
"""

from collections.abc import Callable

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from backoffice.exports import downloads, kinds, writing
from backoffice.exports.kinds import Kind
from backoffice.imports.admin import ImportAdmin
from orders.admin import seams as orders_seams
from productbackend.errors import DomainError
from productbackend.site.admin import Link
from products.admin import seams as products_seams

__all__ = ["ImportAdmin", "export_list", "links_of"]

KINDS = {kind.name: kind for kind in (kinds.PRODUCTS, kinds.ORDERS)}
FORMATS = {writing.CSV: "Export CSV", writing.XLSX: "Export XLSX"}
FORMAT = "_format"  # no filter of a list has this name
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
    page = admin.site.get_model_admin(exported.model)
    if not page.has_view_permission(request):
        raise PermissionDenied
    if request.method not in ("GET", "HEAD"):
        raise Http404
    list_url = reverse(f"admin:{page.opts.app_label}_{page.opts.model_name}_changelist")
    try:
        found = page.get_changelist_instance(request).queryset
        return downloads.respond(request, exported, found, format)
    except IncorrectLookupParameters:
        return HttpResponseRedirect(f"{list_url}?e=1")  # as the list itself does
    except DomainError as error:
        page.message_user(request, f"Nothing was exported. {error.detail}", messages.ERROR)
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

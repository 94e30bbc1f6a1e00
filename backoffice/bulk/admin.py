"""Bulk work in the admin: an action of the list of products, its form, the preview, the run, and what was done."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from backoffice.bulk import starting
from backoffice.bulk.forms import CategoryForm, OperationForm, PriceForm, StockForm, VisibilityForm
from backoffice.bulk.models import BulkChange
from backoffice.bulk.operations import operation_of
from backoffice.imports.admin import STATUS, ImportAdmin
from backoffice.imports.models import Import
from backoffice.permissions import may_import, permissions_of
from productbackend.errors import DomainError
from products.admin import seams
from products.models import Product

STEPS = ("What to do", "Preview", "Run", "Result")


@admin.register(BulkChange)
class BulkAdmin(ImportAdmin):
    list_display = ("created_at", "what", STATUS, "rows", "changed", "unchanged", "refused", "user")
    list_filter = ("status",)
    steps = STEPS
    page_template = "admin/backoffice/bulk/bulk.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return BulkChange.objects.order_by("-pk")

    @admin.display(description="what")
    def what(self, row: BulkChange) -> str:
        return operation_of(row).described()

    def has_add_permission(self, request: HttpRequest, obj: Import | None = None) -> bool:
        return False

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        raise PermissionDenied  # it begins at the list of products

    def title_of(self, row: Import) -> str:
        return operation_of(row).described()

    def rows_of(self, row: Import, request: HttpRequest) -> dict[str, Any]:
        shown = super().rows_of(row, request)
        lines = shown["rows"]
        ids = dict(Product.objects.order_by().filter(sku__in=[line.sku for line in lines]).values_list("sku", "pk"))
        shown["is_preview"] = row.status in (Import.Status.CHECKING, Import.Status.CHECKED)
        shown["rows"] = [(line, ids.get(line.sku)) for line in lines]
        return shown

    def start(self, request: HttpRequest, pk: int) -> None:
        starting.run(bulk_id=pk, user_id=request.user.pk, may=permissions_of(request.user))

    def form_page(
        self, request: HttpRequest, products: QuerySet[Product], form: OperationForm, *, action: str, title: str
    ) -> HttpResponse:
        """The first step: what is to be done with the products."""
        number = products.order_by()[: starting.SELECTED_MAX + 1].count()
        context = self.page_context(request, title, 0) | {
            "form": form,
            "media": self.media + form.media,
            "number": number,
            "at_most": starting.SELECTED_MAX,
            "is_too_many": number > starting.SELECTED_MAX,
            "action": action,
            "action_checkbox_name": ACTION_CHECKBOX_NAME,
            "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
            "select_across": request.POST.get("select_across", "0"),
            "back": request.get_full_path(),
        }
        return TemplateResponse(request, "admin/backoffice/bulk/form.html", context)


def action_of(name: str, label: str, form_class: type[OperationForm]) -> Callable[..., HttpResponse]:
    """An action of the list of products, which asks for an operation and leads to its preview."""

    @admin.action(permissions=["change"], description=label)
    def action(products_admin: Any, request: HttpRequest, products: QuerySet[Product]) -> HttpResponse:
        if not may_import(request.user):
            raise PermissionDenied
        form = form_class(request.POST) if request.POST.get("post") else form_class()
        if form.is_bound and form.is_valid():
            try:
                row = starting.preview(
                    products=products,
                    operation=form.operation,
                    user_id=request.user.pk,
                    may=permissions_of(request.user),
                )
                return HttpResponseRedirect(reverse("admin:backoffice_bulkchange_change", args=[row.pk]))
            except DomainError as error:
                form.add_error(None, error.detail)
        bulk: Any = admin.site.get_model_admin(BulkChange)
        return bulk.form_page(request, products, form, action=name, title=label)

    action.__name__ = name
    return action


seams.LIST_ACTIONS += [
    action_of("change_prices", "Change prices", PriceForm),
    action_of("change_visibility", "Show or hide in the shop", VisibilityForm),
    action_of("change_category", "Move to another category", CategoryForm),
    action_of("change_stock", "Receive or correct stock", StockForm),
]

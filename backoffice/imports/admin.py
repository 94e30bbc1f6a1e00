"""Imports in the admin: upload a file, read what the check says, run it, read what was done."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.views.decorators.http import require_POST

from backoffice.imports import starting, uploading
from backoffice.imports.columns import COLUMNS
from backoffice.imports.models import BULK, Import, ImportRow
from backoffice.permissions import may_import, permissions_of
from productbackend.errors import DomainError
from productbackend.site.admin import Link, ReadOnly, ShopAdmin
from productbackend.site.columns import ACTIVE, BAD, GOOD, WAITS, Column, status_badge
from products.admin import seams as products_seams

ROWS_SHOWN = 50
REFRESH_SECONDS = 2
STEPS = ("Upload", "Check", "Run", "Result")
STATES = {-1: "past", 0: "present", 1: "following"}
STEP = {Import.Status.CHECKING: 1, Import.Status.CHECKED: 1, Import.Status.RUNNING: 2}  # of the others: the last
MODES = {
    Import.Mode.ALL_OR_NOTHING: "All rows, or none if one is refused",
    Import.Mode.ROW_BY_ROW: "Row by row: refused rows are left out",
}


STATUS = status_badge(
    {
        Import.Status.CHECKING: ACTIVE, Import.Status.CHECKED: WAITS, Import.Status.RUNNING: ACTIVE,
        Import.Status.DONE: GOOD, Import.Status.FAILED: BAD,
    }
)  # fmt: skip


class UploadForm(forms.Form):
    kind = forms.ChoiceField(choices=Import.Kind.choices, label="What the file has")
    file = forms.FileField(allow_empty_file=True, help_text="CSV in UTF-8 with commas, semicolons or tabs, or XLSX.")
    mode = forms.ChoiceField(choices=list(MODES.items()), label="What is imported", widget=forms.RadioSelect)


@admin.register(Import)
class ImportAdmin(ReadOnly, ShopAdmin):
    class Media:
        css = {"all": ["backoffice/imports.css"]}

    section = "Catalogue"
    rank = 2
    list_display: tuple[str | Column, ...] = (
        "created_at", "kind", STATUS, "rows", "created", "changed", "unchanged", "refused", "user",
    )  # fmt: skip
    list_select_related = ("user",)
    list_filter: ClassVar[tuple[str, ...]] = ("status", "kind")
    sortable_by = ()
    steps: tuple[str, ...] = STEPS
    page_template = "admin/backoffice/import/import.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).exclude(kind=BULK)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return may_import(request.user)

    def has_view_permission(self, request: HttpRequest, obj: Import | None = None) -> bool:
        return may_import(request.user)

    def has_add_permission(self, request: HttpRequest, obj: Import | None = None) -> bool:
        return may_import(request.user)

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(require_POST(self.run))
        run = path("<int:pk>/run/", view, name=f"backoffice_{self.opts.model_name}_run")
        return [run, *super().get_urls()]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The first step: a file is uploaded. What is no table is an error of the form."""
        if not may_import(request.user):
            raise PermissionDenied
        form = UploadForm(request.POST or None, request.FILES or None, initial={"mode": Import.Mode.ALL_OR_NOTHING})
        if request.method == "POST" and form.is_valid():
            given = dict(form.cleaned_data)
            file = given.pop("file")
            try:
                row = uploading.upload(
                    file=file.file,
                    size=file.size,
                    user_id=request.user.pk,
                    may=permissions_of(request.user),
                    **given,
                )
                return HttpResponseRedirect(reverse("admin:backoffice_import_change", args=[row.pk]))
            except DomainError as error:
                form.add_error("file", error.detail)
        context = self.page_context(request, "Import a file", 0) | {"form": form, "columns": COLUMNS}
        return TemplateResponse(request, "admin/backoffice/import/upload.html", context)

    # The limit of its body; see productbackend.api.limits.
    add_view.upload_setting = "IMPORT_MAX_BYTES"  # type: ignore[attr-defined]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The other steps: how far the check or the run is, and its rows."""
        if not may_import(request.user):
            raise PermissionDenied
        known = object_id.isascii() and object_id.isdigit() and len(object_id) < 19
        row = get_object_or_404(self.get_queryset(request), pk=object_id if known else 0)
        context = self.page_context(request, self.title_of(row), STEP.get(Import.Status(row.status), 3))
        context |= {"original": row, "mode": MODES[Import.Mode(row.mode)], "percent": f"{row.progress:.0%}"}
        context["refresh"] = REFRESH_SECONDS if row.status in (Import.Status.CHECKING, Import.Status.RUNNING) else None
        context["may_run"] = row.status == Import.Status.CHECKED and not (
            row.refused and row.mode == Import.Mode.ALL_OR_NOTHING
        )
        return TemplateResponse(request, self.page_template, context | self.rows_of(row, request))

    def title_of(self, row: Import) -> str:
        return f"Import {row.pk} of {row.kind}"

    def rows_of(self, row: Import, request: HttpRequest) -> dict[str, Any]:
        """What the page shows of the rows."""
        return _rows(row, request)

    def start(self, request: HttpRequest, pk: int) -> None:
        """Start the run. Raises DomainError."""
        get_object_or_404(self.get_queryset(request), pk=pk)
        starting.start(import_id=pk, user_id=request.user.pk, may=permissions_of(request.user))

    def run(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        if not may_import(request.user):
            raise PermissionDenied
        try:
            self.start(request, pk)
        except DomainError as error:
            if error.code == "not-found":
                raise Http404 from None
            self.message_user(request, error.detail, messages.ERROR)
        return HttpResponseRedirect(reverse(f"admin:backoffice_{self.opts.model_name}_change", args=[pk]))

    def page_context(self, request: HttpRequest, title: str, step: int) -> dict[str, Any]:
        steps = [(name, STATES[(number > step) - (number < step)]) for number, name in enumerate(self.steps)]
        site = self.admin_site.each_context(request)
        return {**site, "title": title, "subtitle": None, "opts": self.opts, "media": self.media, "steps": steps}


def _rows(row: Import, request: HttpRequest) -> dict[str, Any]:
    """Some rows with one outcome, or with each; by default the refused ones, if there are any."""
    outcome = request.GET.get("outcome", ImportRow.Outcome.REFUSED if row.refused else "")
    after = request.GET.get("after", "")
    found = ImportRow.objects.filter(parent=row).order_by("number")
    if outcome in ImportRow.Outcome.values:
        found = found.filter(outcome=outcome)
    if after.isascii() and after.isdigit() and len(after) < 10:
        found = found.filter(number__gt=int(after))
    rows = list(found[: ROWS_SHOWN + 1])
    following = rows[ROWS_SHOWN - 1].number if len(rows) > ROWS_SHOWN else None
    counts = [(name, getattr(row, name), name == outcome) for name in ImportRow.Outcome.values]
    return {"rows": rows[:ROWS_SHOWN], "following": following, "outcome": outcome, "counts": counts}


def link(request: HttpRequest) -> list[Link]:
    """The link above the list of products."""
    return [Link("Import", reverse("admin:backoffice_import_add"))] if may_import(request.user) else []


products_seams.LIST_LINKS.append(link)

"""Families in the admin."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from productbackend.database.transactions import atomic_with_retry
from productbackend.errors import DomainError
from productbackend.site.admin import ShopAdmin, begins_with
from products.admin.forms import PicksCategory
from products.admin.grid import INVALID, Grid
from products.admin.pictures import AddsPictures, may_add
from products.admin.variants import MakesVariants, may_make_variants
from products.families import writing
from products.models import Family
from products.naming import sort_key


class FamilyForm(forms.ModelForm):
    """The family's own fields, and the grid of its products."""

    may_change = takes_pictures = False  # of the products; FamilyAdmin.get_form says it

    axes = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 3, "cols": 40}),
        help_text="What the products differ by, such as Size and Colour: one to three, each on a line of its own.",
    )

    class Meta:
        model = Family
        fields = ("name", "brand", "category", "description", "axes", "slug")
        labels = {"slug": "Web address"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["axes"] = "\n".join(self.instance.axes or [])
        self.grid: Grid | None = None
        if self.instance.pk:
            data, files = (self.data, self.files) if self.is_bound else (None, None)
            self.grid = Grid(self.instance, data, files, self.may_change, self.takes_pictures)

    def is_multipart(self) -> bool:
        return self.takes_pictures

    def clean_axes(self) -> list[str]:
        axes = [line.strip() for line in self.cleaned_data["axes"].splitlines() if line.strip()]
        try:
            writing.checked_axes(axes)
        except DomainError as error:
            raise forms.ValidationError(error.detail) from None
        return axes

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if self.grid and not self.grid.is_valid():
            self.add_error(None, INVALID)
        return data


@admin.register(Family)
class FamilyAdmin(PicksCategory, MakesVariants, AddsPictures, ShopAdmin):
    section = "Catalogue"
    rank = 0
    form = FamilyForm
    list_display = ("label", "brand", "category", "differ_by")
    list_display_links = ("label",)
    list_select_related = ("category",)
    sortable_by = ("label",)
    ordering = ("name_key", "id")
    search_fields = ("name",)
    search_help_text = "The beginning of the name."
    autocomplete_fields = ("category",)
    fields = ("name", "brand", "category", "description", "axes", "slug")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term:
            return queryset, False
        return queryset.filter(begins_with("name_key", sort_key(search_term))), False

    @admin.display(description="name", ordering="name_key")
    def label(self, family: Family) -> str:
        return family.name

    @admin.display(description="differ by")
    def differ_by(self, family: Family) -> str:
        return ", ".join(family.axes)

    def get_form(self, request: HttpRequest, obj: Family | None = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change, **kwargs)
        if change and self.has_change_permission(request, obj):
            form.may_change = request.user.has_perm("products.change_product")
            form.takes_pictures = form.may_change and may_add(request)
        return form

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Save again after a deadlock, such as with a sale that sells out a product: see docs/adr/0022-families.md."""
        view = super().changeform_view
        view = atomic_with_retry(view) if request.method == "POST" else view
        return view(request, object_id, form_url, extra_context)

    def save_model(self, request: HttpRequest, obj: Family, form: Any, change: bool) -> None:
        if not change:
            super().save_model(request, obj, form, change)
            return
        changed = {name: form.cleaned_data[name] for name in form.changed_data}
        writing.change(family_id=obj.pk, precondition=lambda family: None, **changed)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        grid: Grid | None = form.grid
        if grid is None:
            return
        if number := grid.save(request.user):
            self.message_user(request, f"{number} product{'' if number == 1 else 's'} changed.", messages.SUCCESS)
        for sentence in grid.refused:
            self.message_user(request, sentence, messages.ERROR)
        if grid.pictures:
            transaction.on_commit(lambda: self.add_pictures(request, grid.pictures))
        form.instance.is_refused = bool(grid.refused)

    def response_add(self, request: HttpRequest, obj: Family, post_url_continue: str | None = None) -> HttpResponse:
        """A new family has no products yet: the next page makes them."""
        if "_save" in request.POST and may_make_variants(request):
            self.message_user(request, f"The family {obj} was added.", messages.SUCCESS)
            return HttpResponseRedirect(reverse("admin:products_family_variants", args=[obj.pk]))
        return super().response_add(request, obj, post_url_continue)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        """Of products that were refused, the page shows the present values."""
        response = super().response_change(request, obj)
        return HttpResponseRedirect(request.path) if getattr(obj, "is_refused", False) else response

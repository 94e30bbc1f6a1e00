"""Families in the admin."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from productbackend.errors import DomainError
from productbackend.site.admin import ShopAdmin, begins_with
from products.admin.forms import PicksCategory
from products.families import writing
from products.models import Family, Product
from products.naming import sort_key


class FamilyForm(forms.ModelForm):
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

    def clean_axes(self) -> list[str]:
        axes = [line.strip() for line in self.cleaned_data["axes"].splitlines() if line.strip()]
        try:
            writing.checked_axes(axes)
        except DomainError as error:
            raise forms.ValidationError(error.detail) from None
        return axes


@admin.register(Family)
class FamilyAdmin(PicksCategory, ShopAdmin):
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
    readonly_fields = ("products",)
    fields = ("name", "brand", "category", "description", "axes", "slug", "products")

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

    @admin.display(description="products")
    def products(self, family: Family) -> str | SafeString:
        """The members in their order, with links to their pages. A product joins by the API."""
        if not family.pk:
            return "–"
        members = Product.objects.filter(family=family.pk).order_by("family_position", "pk")
        lines = [
            (reverse("admin:products_product_change", args=[each.pk]), each.name, _state(each)) for each in members
        ]
        return format_html_join("", '<a href="{}">{}</a>{}<br>', lines) or "–"

    def save_model(self, request: HttpRequest, obj: Family, form: Any, change: bool) -> None:
        if not change:
            super().save_model(request, obj, form, change)
            return
        changed = {name: form.cleaned_data[name] for name in form.changed_data}
        writing.change(family_id=obj.pk, precondition=lambda family: None, **changed)


def _state(product: Product) -> str:
    options = "".join(f", {axis}: {value}" for axis, value in product.options.items())
    lead = ", shown in lists" if product.is_lead and product.is_active else ""
    hidden = "" if product.is_active else ", hidden"
    return f"{options}, {product.quantity} in stock{hidden}{lead}"

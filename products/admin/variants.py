"""The page of a family that makes the combinations of options it lacks: the values, a preview, then the products."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse

from productbackend.errors import DomainError
from productbackend.site.admin import OBJECT_LINKS, Link
from products.families import variants
from products.models import OPTION_MAX, QUANTITY_MAX, Family
from products.naming import validate_visible

SKUS, SALT = "skus", "products.admin.variants"  # a signed field: those that the preview has shown


def may_make_variants(request: HttpRequest) -> bool:
    return request.user.has_perms(["products.change_family", "products.add_product"])


class ValuesField(forms.CharField):
    """Values of an axis: one on each line or, on a single line, with commas."""

    widget = forms.Textarea(attrs={"rows": 5, "cols": 30})

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, strip=False, **kwargs)

    def clean(self, value: Any) -> list[str]:
        text = super().clean(value)
        parts = text.splitlines() if "\n" in text else text.split(",")
        values = [part.strip() for part in parts if part.strip()]
        for each in values:
            if len(each) > OPTION_MAX:
                raise forms.ValidationError(f"A value has {OPTION_MAX} characters at most: {each[:20]}…")
            validate_visible(each)
        return values


class VariantsForm(forms.Form):
    price = forms.DecimalField(label=f"Price in {settings.CURRENCY}", min_value=0, max_digits=10, decimal_places=2)
    quantity = forms.IntegerField(label="Pieces in stock of each", min_value=0, max_value=QUANTITY_MAX, initial=0)

    def __init__(self, family: Family, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.family = family
        self.axes = {f"values_{number}": axis for number, axis in enumerate(family.axes)}
        for name, axis in self.axes.items():
            text = "One on each line, or on one line with commas: S, M, L."
            self.fields[name] = ValuesField(label=axis, help_text=text)
        self.order_fields(self.axes)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if not self.errors and not any(data[name] for name in self.axes):
            raise forms.ValidationError("Enter the values of one axis at least.")
        return data

    @property
    def wanted(self) -> dict[str, Any]:
        """What `variants` takes, of the valid form. An axis without values is left out."""
        options = {axis: values for name, axis in self.axes.items() if (values := self.cleaned_data[name])}
        return {"options": options, "price": self.cleaned_data["price"], "quantity": self.cleaned_data["quantity"]}


class MakesVariants(ModelAdmin):
    """For the admin of families."""

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.variants_page)
        return [path("<int:pk>/variants/", view, name="products_family_variants"), *super().get_urls()]

    def variants_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Nothing is written before the preview is confirmed."""
        if not may_make_variants(request):
            raise PermissionDenied
        family = get_object_or_404(Family, pk=pk)
        form = VariantsForm(family, request.POST if request.method == "POST" else None)
        context: dict[str, Any] = {}
        if form.is_valid() and "edit" not in request.POST:
            try:
                if "confirm" in request.POST:
                    return self._made(request, family, form)
                context = self._preview(form)
            except DomainError as error:
                form.add_error(None, error.detail)
        site = self.admin_site.each_context(request)
        context |= {"title": "Make variants", "subtitle": str(family), "opts": self.opts, "original": family}
        context |= {"form": form, "media": self.media, "currency": settings.CURRENCY}
        return TemplateResponse(request, "admin/products/family/variants.html", site | context)

    @staticmethod
    def _preview(form: VariantsForm) -> dict[str, Any]:
        found = variants.preview(family=form.family, **form.wanted)
        skus = {product.options_key: product.sku for product in found.new}
        rows = [(product, [product.options.get(axis, "") for axis in form.family.axes]) for product in found.new]
        return {"is_preview": True, "rows": rows, "existing": found.existing, "skus": signing.dumps(skus, salt=SALT)}

    def _made(self, request: HttpRequest, family: Family, form: VariantsForm) -> HttpResponse:
        """Make what the preview has shown. Raises DomainError."""
        try:
            skus = signing.loads(request.POST.get(SKUS, ""), salt=SALT)
        except signing.BadSignature:
            skus = {}
        made = len(variants.make_missing(family_id=family.pk, skus=skus, **form.wanted))
        text = "One product was made." if made == 1 else f"{made} products were made."
        self.message_user(request, text, messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:products_family_change", args=[family.pk]))


def link(request: HttpRequest, family: Family) -> list[Link]:
    """The link on the family's page."""
    if not may_make_variants(request):
        return []
    return [Link("Make variants", reverse("admin:products_family_variants", args=[family.pk]))]


OBJECT_LINKS[Family].append(link)

"""The action that makes a family of the products that were chosen in their list."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from productbackend.errors import DomainError
from products.admin import seams
from products.families import members
from products.models import AXES_MAX, AXIS_MAX, OPTION_MAX, VARIANTS_MAX, Family, Product
from products.naming import validate_visible

NUMBERS = range(AXES_MAX)
AXES = ("First axis", "Second axis", "Third axis")


class GatherForm(forms.Form):
    """Name and axes of the new family, and the values of each product."""

    name = forms.CharField(max_length=200, validators=[validate_visible], label="Name of the family")

    def __init__(self, products: Iterable[Product], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.products = list(products)
        for number in NUMBERS:
            self.fields[f"axis_{number}"] = forms.CharField(
                label=AXES[number],
                max_length=AXIS_MAX,
                required=number == 0,
                help_text="Empty if the products differ by less." if number else "What they differ by, such as Size.",
            )
        for product in self.products:
            for number in NUMBERS:
                attrs = {"aria-label": f"{AXES[number]}: {product.name}", "size": 14}
                self.fields[f"value_{product.pk}_{number}"] = forms.CharField(
                    max_length=OPTION_MAX,
                    required=False,
                    validators=[validate_visible],
                    widget=forms.TextInput(attrs=attrs),
                )

    @property
    def head(self) -> list[forms.BoundField]:
        """The fields of the family itself."""
        return [self["name"], *(self[f"axis_{number}"] for number in NUMBERS)]

    @property
    def rows(self) -> list[tuple[Product, list[forms.BoundField]]]:
        return [(each, [self[f"value_{each.pk}_{number}"] for number in NUMBERS]) for each in self.products]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("axis_2") and not data.get("axis_1"):
            self.add_error("axis_1", "Enter the second axis before the third one.")
        axes = self._axes(data)
        for product in self.products:
            for number in NUMBERS[len(axes) :]:
                if data.get(f"value_{product.pk}_{number}"):
                    self.add_error(f"value_{product.pk}_{number}", f"Enter the name of this axis: {AXES[number]}.")
        return data

    @staticmethod
    def _axes(data: dict[str, Any]) -> list[str]:
        return [axis for number in NUMBERS if (axis := data.get(f"axis_{number}"))]

    def save(self) -> Family | None:
        """Make the family. If that is impossible, add the errors to the fields."""
        data, axes = self.cleaned_data, self._axes(self.cleaned_data)
        values = {each.pk: [data[f"value_{each.pk}_{number}"] for number in range(len(axes))] for each in self.products}
        try:
            return members.gather(name=data["name"], axes=axes, values=values)
        except DomainError as error:
            for each in error.extra.get("errors", []):
                pk, _, name = (each["field"] or "").partition(".")
                field = f"value_{pk}_0" if name else {"axes": "axis_0"}.get(pk)
                self.add_error(field, each["detail"])
        return None


@admin.action(permissions=["make_family"], description="Make a family of them")
def make_family(products_admin: Any, request: HttpRequest, products: QuerySet[Product]) -> HttpResponse:
    """Ask for the axes and each product's options; make the family, or say what is wrong and keep what was typed."""
    chosen = list(products.select_related("family")[: VARIANTS_MAX + 1])
    is_too_many = len(chosen) > VARIANTS_MAX
    form = GatherForm([] if is_too_many else chosen, request.POST if request.POST.get("post") else None)
    if not is_too_many and form.is_valid() and (family := form.save()):
        number = "one product" if len(chosen) == 1 else f"{len(chosen)} products"
        products_admin.message_user(request, f"The family {family} has {number}.", messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:products_family_change", args=[family.pk]))
    context = {
        **products_admin.admin_site.each_context(request),
        "title": "Make a family",
        "subtitle": None,
        "opts": Family._meta,
        "media": products_admin.media + form.media,
        "form": form,
        "axes": AXES,
        "at_most": VARIANTS_MAX,
        "is_too_many": is_too_many,
        "in_families": [] if form.is_bound else [error.detail for error in members.in_other_families(chosen)],
        "action_checkbox_name": ACTION_CHECKBOX_NAME,
        "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
        "select_across": request.POST.get("select_across", "0"),
        "back": request.get_full_path(),
    }
    return TemplateResponse(request, "admin/products/family/gather.html", context)


seams.LIST_ACTIONS.append(make_family)

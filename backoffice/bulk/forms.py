"""The forms of bulk work: what is to be done with the selected products."""

from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect

from backoffice.bulk.operations import Kind, Operation
from products import categories
from products.admin.forms import CategoryField
from products.models import QUANTITY_MAX, Category, Product, StockMovement

PERCENT_MAX = 1_000
NOTE_MAX = StockMovement._meta.get_field("note").max_length


class OperationForm(forms.Form):
    """Base of the forms."""

    @property
    def operation(self) -> Operation:
        """What the valid form asks for."""
        raise NotImplementedError


class PriceForm(OperationForm):
    how = forms.ChoiceField(
        label="Change by",
        choices=[
            (Kind.PRICE_PERCENT.value, "Percent of the present price"),
            (Kind.PRICE_AMOUNT.value, f"An amount in {settings.CURRENCY}"),
        ],
        initial=Kind.PRICE_PERCENT.value,
        widget=forms.RadioSelect,
    )
    by = forms.DecimalField(
        label="How much",
        max_digits=10,
        decimal_places=2,
        help_text="Such as 5 to raise prices, or -5 to lower them. New prices are rounded half up to the cent.",
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        by, how = data.get("by"), data.get("how")
        if by == 0:
            self.add_error("by", "By 0 no price changes.")
        elif by is not None and how == Kind.PRICE_PERCENT and not -100 <= by <= PERCENT_MAX:
            self.add_error("by", f"The percentage is between -100 and {PERCENT_MAX:,}.")
        return data

    @property
    def operation(self) -> Operation:
        by: Decimal = self.cleaned_data["by"]
        return Operation(self.cleaned_data["how"], str(by))


class VisibilityForm(OperationForm):
    visible = forms.TypedChoiceField(
        label="In the shop",
        choices=[("yes", "Visible: customers see and buy them"), ("no", "Hidden: only staff see them")],
        coerce=lambda text: text == "yes",
        widget=forms.RadioSelect,
    )

    @property
    def operation(self) -> Operation:
        return Operation(Kind.VISIBILITY, self.cleaned_data["visible"])


class CategoryForm(OperationForm):
    category = CategoryField(
        label="New category",
        queryset=Category.objects.all(),
        required=False,
        widget=AutocompleteSelect(Product._meta.get_field("category"), admin.site),
        help_text="Empty: the products are in no category.",
    )

    @property
    def operation(self) -> Operation:
        category: Category | None = self.cleaned_data["category"]
        if category is None:
            return Operation(Kind.CATEGORY, None)
        return Operation(Kind.CATEGORY, category.pk, path=categories.path_texts([category.pk])[category.pk])


class StockForm(OperationForm):
    what = forms.ChoiceField(
        label="What happened",
        choices=[
            (Kind.RECEIVED.value, "Received: pieces have arrived"),
            (Kind.CORRECTION.value, "Correction: the number was wrong"),
        ],
        initial=Kind.RECEIVED.value,
        widget=forms.RadioSelect,
    )
    pieces = forms.IntegerField(
        label="Pieces of each product",
        min_value=-QUANTITY_MAX,
        max_value=QUANTITY_MAX,
        help_text="They are added to the stock. A correction may be negative.",
    )
    note = forms.CharField(
        required=False,
        max_length=NOTE_MAX,
        widget=forms.TextInput(attrs={"class": "vTextField"}),
        help_text="Such as the delivery note's number. It is shown in the stock movements. No names of persons.",
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        pieces = data.get("pieces")
        if pieces == 0:
            self.add_error("pieces", "By 0 no stock changes.")
        elif pieces is not None and pieces < 0 and data.get("what") == Kind.RECEIVED:
            self.add_error("pieces", "What was received is 1 or more. Fewer pieces are a correction.")
        return data

    @property
    def operation(self) -> Operation:
        data = self.cleaned_data
        return Operation(data["what"], data["pieces"], note=data["note"])

"""The forms of the catalogue's admin pages."""

from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpRequest

from productbackend.errors import DomainError
from products import categories
from products.admin.pictures import PicturesField
from products.models import QUANTITY_MAX, Category, Product

WEB_ADDRESS = "Web address"


class CategoryField(forms.ModelChoiceField):
    """Chooses a category by its path. The options of its autocomplete are those of `CategoryAdmin.option_texts`."""

    def label_from_instance(self, obj: Category) -> str:
        return categories.path_text(categories.paths([obj])[obj.pk])


class CategoryForm(forms.ModelForm):
    class Meta:
        model = Category
        fields = ("name", "parent", "slug", "position")
        labels = {"slug": WEB_ADDRESS}

    def clean(self) -> dict[str, Any]:
        """Add the domain's error to its field if the category cannot have this parent or name."""
        data = super().clean() or self.cleaned_data
        if not self.errors:
            candidate = Category(pk=self.instance.pk, name=data["name"], parent=data["parent"])
            candidate.lineage = self.instance.lineage
            try:
                categories.validate_position(candidate)
            except DomainError as error:
                self.add_error(error.extra["errors"][0]["field"], error.detail)
        return data


class ProductForm(forms.ModelForm):
    """Changes the quantity by the difference to the one that was shown, so that it does not undo concurrent sales."""

    new_pictures = PicturesField(label="Add pictures", required=False)

    class Meta:
        model = Product
        fields: tuple[str, ...] = ()  # those of the page: ProductAdmin.fieldsets
        labels = {
            "is_active": "Visible in the shop",
            "price": f"Price in {settings.CURRENCY}",
            "quantity": "Pieces in stock",
            "slug": WEB_ADDRESS,
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.in_stock = self.instance.quantity or 0
        if "quantity" in self.fields:
            self.fields["quantity"].show_hidden_initial = self.instance.pk is not None

    @property
    def quantity_delta(self) -> int:
        """The entered quantity minus the one that the form had shown."""
        field = self.fields["quantity"]
        shown = field.hidden_widget().value_from_datadict(
            self.data,
            self.files,
            self.add_initial_prefix("quantity"),
        )
        try:
            before = field.to_python(shown)
        except forms.ValidationError:
            before = None
        return self.cleaned_data["quantity"] - (self.in_stock if before is None else before)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if self.instance.pk and data.get("quantity") is not None:
            result = self.in_stock + self.quantity_delta
            if not 0 <= result <= QUANTITY_MAX:
                self.add_error("quantity", f"{self.in_stock} are in stock now: the quantity would be {result}.")
        return data


class PicksCategory:
    """For the admin of a model with a foreign key to a category: its path is shown."""

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.remote_field.model is Category:
            kwargs["form_class"] = CategoryField
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]

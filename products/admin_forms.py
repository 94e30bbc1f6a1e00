"""The forms of the catalogue's admin pages."""

from typing import Any

from django import forms
from django.utils.safestring import SafeString

from productbackend.errors import DomainError
from products import categories, images
from products.models import QUANTITY_MAX, Category, Product, ProductImage


class CategoryForm(forms.ModelForm):
    class Meta:
        model = Category
        fields = ("name", "parent", "slug")

    def clean(self) -> dict[str, Any]:
        """Say at its field why the category cannot stand there."""
        data = super().clean() or self.cleaned_data
        if not self.errors:
            place = Category(pk=self.instance.pk, name=data["name"], parent=data["parent"])
            place.lineage = self.instance.lineage
            try:
                categories.check_place(place)
            except DomainError as error:
                self.add_error(error.extra["errors"][0]["field"], error.detail)
        return data


class ProductForm(forms.ModelForm):
    """Asks for a quantity and remembers the one it showed: what was sold in between stays sold."""

    class Meta:
        model = Product
        fields = (
            "name",
            "brand",
            "category",
            "sku",
            "slug",
            "description",
            "price",
            "quantity",
            "rating",
            "is_active",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.in_stock = self.instance.quantity or 0
        if "quantity" in self.fields:
            self.fields["quantity"].show_hidden_initial = self.instance.pk is not None

    @property
    def quantity_delta(self) -> int:
        """The quantity typed minus the one that the form had shown."""
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
                self.add_error("quantity", f"There are {self.in_stock} now: the quantity would be {result}.")
        return data


class Kept(forms.Widget):
    """In place of an upload field, where a file is there already and stays."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        return SafeString()


class ImageForm(forms.ModelForm):
    upload = forms.FileField(label="picture", required=False)

    class Meta:
        model = ProductImage
        fields = ("alt_text", "position")
        widgets = {"alt_text": forms.TextInput(attrs={"size": 22})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["upload"].disabled = True
            self.fields["upload"].widget = Kept()

    def clean_upload(self) -> Any:
        upload = self.cleaned_data["upload"]
        if self.instance.pk:
            return None
        if not upload:
            raise forms.ValidationError("Choose a file.")
        try:
            images.inspect(upload)
        except DomainError as error:
            raise forms.ValidationError(error.detail) from None
        return upload

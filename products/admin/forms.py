"""The forms of the catalogue's admin pages."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.safestring import SafeString

from productbackend.errors import DomainError
from products import categories
from products.images import lifecycle
from products.models import QUANTITY_MAX, Category, Product, ProductImage

WEB_ADDRESS = "Web address"


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


class HiddenUpload(forms.Widget):
    """Renders nothing, instead of the upload field of an existing image: its file cannot be replaced."""

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
            self.fields["upload"].widget = HiddenUpload()

    def clean_upload(self) -> UploadedFile | None:
        upload: UploadedFile | None = self.cleaned_data["upload"]
        if self.instance.pk:
            return None
        if not upload:
            raise forms.ValidationError("Choose a file.")
        try:
            lifecycle.validate_upload(upload)
        except DomainError as error:
            raise forms.ValidationError(error.detail) from None
        return upload

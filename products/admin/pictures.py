"""The pictures on a product's page in the admin: several are added at once, and dragged into their order."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin import ModelAdmin
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html

from productbackend.errors import DomainError
from products.images import lifecycle
from products.models import ProductImage

NAME_SHOWN_MAX = 100  # characters of a file's name in a message
UPLOAD_SETTINGS = ("IMAGE_MAX_BYTES", "IMPORT_MAX_BYTES")
FILES_MAX = 50  # in one request; Django refuses a request with more than 100


def bytes_max() -> int:
    """How large the pictures of one request may be together: as large as one, or as a file to import."""
    return max(getattr(settings, name) for name in UPLOAD_SETTINGS)


def may_add(request: HttpRequest) -> bool:
    return request.user.has_perm("products.add_productimage")


class PictureInput(forms.FileInput):
    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        # The script refuses more before they are sent: a request that is too large is refused with all that was typed.
        limits = {"accept": "image/*", "data-bytes-max": bytes_max(), "data-files-max": FILES_MAX}
        return super().get_context(name, value, {**(attrs or {}), **limits})


class PicturesInput(PictureInput):
    allow_multiple_selected = True

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[UploadedFile] | None:
        return files.getlist(name) or None


class PicturesField(forms.FileField):
    """Any number of files. Each is checked when it is added, so that a refused one does not refuse the form."""

    widget = PicturesInput

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile]:
        return list(data or [])


def preview(image: ProductImage | None) -> str:
    """The thumbnail, with a link to the large rendition; if there is none, the error or the status."""
    if image is None:
        return "–"
    if "thumb" not in image.renditions:
        return image.error_detail or image.get_status_display()
    thumb, full = image.renditions["thumb"], image.renditions.get("full", image.renditions["thumb"])
    return format_html(
        '<a href="{}"><img src="{}" alt="{}" class="preview"></a>',
        default_storage.url(full["file"]),
        default_storage.url(thumb["file"]),
        image.alt_text or "Picture",  # the name of the link
    )


class ImageForm(forms.ModelForm):
    class Meta:
        model = ProductImage
        fields = ("alt_text", "position")
        widgets = {"alt_text": forms.TextInput(attrs={"size": 22})}


class ImageInline(admin.TabularInline):
    """The pictures that there are. New ones are added by `ProductForm.new_pictures`."""

    model = ProductImage
    form = ImageForm
    extra = 0
    fields = ("preview", "alt_text", "position", "state")
    readonly_fields = ("preview", "state")
    verbose_name_plural = "pictures, the first one is the main one"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="")
    def preview(self, image: ProductImage) -> str:
        return preview(image)

    @admin.display(description="status")
    def state(self, image: ProductImage) -> str:
        return image.get_status_display()


class AddsPictures(ModelAdmin):
    """For an admin whose pages take pictures of products."""

    class Media:
        css = {"all": ["products/admin.css"]}
        js = ["products/pictures.js"]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().add_view(request, form_url, extra_context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        return super().change_view(request, object_id, form_url, extra_context)

    # The limit of their bodies; see productbackend.api.limits and `bytes_max`.
    add_view.upload_settings = change_view.upload_settings = UPLOAD_SETTINGS  # type: ignore[attr-defined]

    def add_pictures(self, request: HttpRequest, pictures: Sequence[tuple[int, UploadedFile]]) -> None:
        """Add pictures to products, by their ids. One that is refused is a message with its name and the reason."""
        added = 0
        for product_id, file in pictures:
            name = (file.name or "")[:NAME_SHOWN_MAX]
            try:
                _, is_new = lifecycle.add(product_id=product_id, file=file)
            except DomainError as error:
                self.message_user(request, f"The file {name} was not added. {error.detail}", messages.ERROR)
                continue
            added += is_new
            if not is_new:
                self.message_user(
                    request, f"The file {name} was not added: the product has this picture.", messages.WARNING
                )
        if added:
            text = "One picture was added." if added == 1 else f"{added} pictures were added."
            self.message_user(request, f"{text} They are shown here once their sizes are made.", messages.SUCCESS)


class TakesPictures(AddsPictures):
    """For the admin of products."""

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        found = list(super().get_fieldsets(request, obj))
        may_save = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        if may_save and may_add(request):
            text = (
                "JPEG, PNG, WebP, GIF or AVIF. Choose several files at once, each of "
                f"{settings.IMAGE_MAX_BYTES / 1e6:g} MB at most. They are added when you save, after those below."
            )
            found.append(("Pictures", {"fields": ("new_pictures",), "description": text}))
        return found

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return super().get_inlines(request, obj) if obj else ()

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Remove and change images by the domain functions, which also manage their files."""
        formset.save(commit=False)
        for image in formset.deleted_objects:
            lifecycle.remove(image=image)
        for image, _ in formset.changed_objects:
            lifecycle.change(image=image, alt_text=image.alt_text, position=image.position)
        formset.new_objects = []

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        files = form.cleaned_data.get("new_pictures")
        if files and may_add(request):
            # The file store may be slow: no transaction is open while they are stored.
            pictures = [(form.instance.pk, file) for file in files]
            transaction.on_commit(lambda: self.add_pictures(request, pictures))

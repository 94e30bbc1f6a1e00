"""The shapes of imports over HTTP."""

from typing import Any

from rest_framework import serializers

from backoffice.imports.models import Import, ImportRow
from productbackend.api.fields import CREATED_AT, HelpText, help_texts

MODE = "all_or_nothing writes no row if one is refused; row_by_row writes the others."


class ImportSerializer(serializers.ModelSerializer):
    progress = serializers.FloatField(
        read_only=True,
        min_value=0,
        max_value=1,
        help_text=HelpText("The share of the check or of the run that is done, from 0 to 1.", 0.25),
    )

    class Meta:
        model = Import
        fields = [
            "id", "kind", "mode", "status", "rows", "created", "changed", "unchanged", "refused", "progress", "message",
            "created_at",
        ]  # fmt: skip
        read_only_fields = fields
        extra_kwargs = help_texts(
            id=HelpText("The import's id.", 3),
            kind="What the file has: products, or their stock.",
            mode=MODE,
            status="checking, then checked; running once it was asked for, then done, or failed.",
            rows=HelpText("The rows of the file, without the header.", 1200),
            created=HelpText("Rows that create a product: so far by the check, then by the run.", 40),
            changed=HelpText("Rows that change a product.", 900),
            unchanged=HelpText("Rows that change nothing.", 258),
            refused=HelpText("Rows that are refused; each says why.", 2),
            message=HelpText("What is wrong with the import as a whole; may be empty.", ""),
            created_at=CREATED_AT,
        )


class ImportUploadSerializer(serializers.Serializer):
    kind = serializers.ChoiceField(
        choices=Import.Kind.choices, help_text=HelpText("What the file has.", Import.Kind.PRODUCTS.value)
    )
    # The domain refuses an empty file with its own error.
    file = serializers.FileField(
        allow_empty_file=True, help_text="CSV in UTF-8 with commas, semicolons or tabs, or XLSX; detected by content."
    )
    mode = serializers.ChoiceField(
        choices=Import.Mode.choices,
        default=Import.Mode.ALL_OR_NOTHING,
        help_text=HelpText(MODE, Import.Mode.ALL_OR_NOTHING.value),
    )


class ImportRowSerializer(serializers.ModelSerializer):
    def to_representation(self, instance: ImportRow) -> dict[str, Any]:
        return {name: getattr(instance, name) for name in self.Meta.fields}

    class Meta:
        model = ImportRow
        fields = ["number", "sku", "outcome", "message"]
        read_only_fields = fields
        extra_kwargs = help_texts(
            number=HelpText("The number of the row in a spreadsheet; the header is row 1.", 7),
            sku=HelpText("The SKU of the row; its first 64 characters.", "WALKING-BOOT"),
            outcome="What the run will do, and after the run what it did.",
            message=HelpText("Why it is refused, or what else it does; may be empty.", "price: It is at most 5."),
        )

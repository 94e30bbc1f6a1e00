"""Serializers of refunds, and of the mark that an order is paid."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from payments.models import Refund
from payments.refunds import RefundItem
from productbackend.api.fields import (
    CREATED_AT,
    AmountField,
    CharField,
    HelpText,
    StrictBooleanField,
    StrictIntegerField,
    help_texts,
)

ITEMS_MAX = 1_000
QUANTITY_MAX = 2**31 - 1


class RefundItemSerializer(serializers.Serializer):
    """Pieces of one line of the order."""

    sku = CharField(max_length=64, help_text=HelpText("The SKU of the order's line.", "WALKING-BOOT"))
    quantity = StrictIntegerField(
        min_value=1, max_value=QUANTITY_MAX, help_text=HelpText("Pieces that are paid back.", 1)
    )
    restock = StrictBooleanField(
        required=False, default=False, help_text=HelpText("Whether they go back in stock.", True)
    )


class NewRefundSerializer(serializers.Serializer):
    """An `amount`; or `items`, the `delivery` or both, whose amount is computed."""

    amount = AmountField(max_digits=20, required=False, help_text=HelpText("What is paid back.", "19.90"))
    items = serializers.ListField(
        child=RefundItemSerializer(),
        required=False,
        max_length=ITEMS_MAX,
        help_text="Pieces that are paid back, with their tax.",
    )
    delivery = StrictBooleanField(
        required=False, default=False, help_text=HelpText("Whether the delivery is paid back too.", False)
    )
    reason = CharField(
        required=False,
        allow_blank=True,
        max_length=500,
        default="",
        help_text=HelpText("Why; the customer can read it.", "Damaged in transit."),
    )

    def wanted(self) -> dict[str, Any]:
        """The validated body as the fields of a RefundRequest."""
        given = dict(self.validated_data)
        return given | {"items": [RefundItem(**item) for item in given.get("items", [])]}


class RefundSerializer(serializers.ModelSerializer):
    error = serializers.SerializerMethodField(
        help_text=HelpText("Why the provider refused it, or null.", "The card was closed.")
    )

    class Meta:
        model = Refund
        fields = ["id", "amount", "status", "reason", "error", "created_at"]
        read_only_fields = fields
        extra_kwargs = help_texts(
            id=HelpText("The refund's id.", 5),
            amount=HelpText("What is paid back.", "19.90"),
            status="pending until the provider has done it, then done; or failed if it refused.",
            reason=HelpText("Why it was refunded; may be empty.", "Damaged in transit."),
            created_at=CREATED_AT,
        )

    @extend_schema_field({"type": ["string", "null"]})
    def get_error(self, refund: Refund) -> str | None:
        return refund.error or None if refund.status == Refund.Status.FAILED else None


class MarkPaidSerializer(serializers.Serializer):
    """Money that came by another way than a provider of the shop."""

    amount = AmountField(max_digits=20, help_text=HelpText("What came: the order's total.", "44.70"))
    reference = CharField(
        required=False,
        allow_blank=True,
        max_length=200,
        default="",
        help_text=HelpText("The shop's own note, such as the line of the bank statement.", "Statement 12, line 4"),
    )

"""The shapes of carts and their items."""

from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from rest_framework import serializers

from carts.models import Cart, CartItem
from productbackend.api.fields import StrictBooleanField
from products.models import QUANTITY_MAX


class CartItemSerializer(serializers.ModelSerializer):
    product_name = serializers.CharField(source="name", read_only=True)
    unit_price = serializers.DecimalField(max_digits=10, decimal_places=2, read_only=True, allow_null=True)
    line_total = serializers.DecimalField(max_digits=20, decimal_places=2, read_only=True, allow_null=True)

    class Meta:
        model = CartItem
        fields = ["id", "cart", "product", "product_name", "unit_price", "quantity", "line_total"]
        read_only_fields = fields


class NewItemSerializer(serializers.Serializer):
    """What goes into the cart."""

    product = serializers.IntegerField(min_value=1, max_value=2**63 - 1)
    quantity = serializers.IntegerField(min_value=1, max_value=QUANTITY_MAX)


class ItemQuantitySerializer(serializers.Serializer):
    """A new quantity. An item's product does not change: another one is a 400."""

    product = serializers.IntegerField(required=False, allow_null=True, help_text="The product it has, or left out.")
    quantity = serializers.IntegerField(min_value=1, max_value=QUANTITY_MAX)

    def validate_product(self, value: int | None) -> int | None:
        if value != self.instance.product_id:  # type: ignore[union-attr]
            raise serializers.ValidationError("An item keeps its product: add the other one.", code="immutable")
        return value


class CartUserSerializer(serializers.ModelSerializer):
    class Meta:
        model = get_user_model()
        fields = ["id", "username"]


class CartSerializer(serializers.ModelSerializer):
    user = CartUserSerializer(read_only=True)
    items = CartItemSerializer(many=True, read_only=True)
    count = serializers.IntegerField(read_only=True, help_text="Pieces, not lines.")
    total = serializers.DecimalField(max_digits=20, decimal_places=2, read_only=True, help_text="At today's prices.")
    currency = serializers.SerializerMethodField(help_text="ISO 4217.")

    class Meta:
        model = Cart
        fields = ["id", "user", "items", "count", "total", "currency", "completed", "created_at", "updated_at"]

    def get_currency(self, cart: Cart) -> str:
        return settings.CURRENCY


class CartCompletionSerializer(serializers.Serializer):
    """All that a cart takes: true checks it out."""

    completed = StrictBooleanField()


class CompletedCartSerializer(CartSerializer):
    """The cart as it was; `order` is the number of what it became, where it was checked out."""

    order = serializers.CharField(read_only=True, required=False)

    class Meta(CartSerializer.Meta):
        fields = [*CartSerializer.Meta.fields, "order"]


def as_json(cart: Cart) -> dict[str, Any]:
    """A cart as the API shows it."""
    return dict(CartSerializer(cart).data)

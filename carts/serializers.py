"""Serializers of carts and their items."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db.models import prefetch_related_objects
from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from carts import pricing
from carts.details import BookAddress, Details
from carts.models import Cart, CartItem
from orders.serializers import AmountsSerializer, TaxLineSerializer
from productbackend.api.fields import (
    CREATED_AT,
    CURRENCY,
    UPDATED_AT,
    CharField,
    EmailField,
    HelpText,
    MoneyField,
    StrictBooleanField,
    StrictIntegerField,
    help_texts,
)
from productbackend.api.postal_addresses import PostalAddressSerializer, postal_address
from productbackend.api.representing import Representation
from productbackend.database.postal_addresses import PostalAddress
from products.images.serializers import ImageSerializer, ImageWriter, read_ready_images
from products.models import QUANTITY_MAX

ITEMS_MAX = 100  # of one request
MISSING = ["email", "shipping_address", "delivery_method"]
QUANTITY = HelpText("Pieces.", 2)
EMAIL = HelpText("The address for the order: the cart's own, or else the account's.", "carla@example.com")
PHONE = HelpText("A telephone number for the order.", "+49 30 901820")
DELIVERY_METHOD = HelpText("The code of the chosen method, or null.", "parcel")
NOTE = HelpText("The customer's note for the shop.", "Ring twice.")
PRODUCT = HelpText("The product's id.", 7)


class CartItemSerializer(serializers.ModelSerializer):
    """An item with what a cart's page shows of its product, whose `ready_images` have been read."""

    product_name = serializers.CharField(
        source="name", read_only=True, help_text=HelpText("Also after the product was deleted.", "Walking boot")
    )
    sku = serializers.CharField(
        source="product.sku",
        default=None,
        read_only=True,
        allow_null=True,
        help_text=HelpText("null if the product was deleted.", "BOOT-42"),
    )
    slug = serializers.CharField(
        source="product.slug",
        default=None,
        read_only=True,
        allow_null=True,
        help_text=HelpText("null if the product was deleted.", "walking-boot"),
    )
    image = serializers.SerializerMethodField(help_text="The product's first ready image, or null.")
    options = serializers.SerializerMethodField(
        help_text=HelpText("The product's options: axis -> value; `{}` if it has none or was deleted.", {"Size": "M"})
    )
    available = serializers.SerializerMethodField(
        help_text=HelpText("The pieces in stock now; 0 if the product is hidden or deleted.", 12)
    )
    unit_price = MoneyField(
        read_only=True, allow_null=True, help_text=HelpText("null if the product was deleted.", "19.90")
    )
    line_total = MoneyField(
        max_digits=20, read_only=True, allow_null=True, help_text=HelpText("Price times quantity, or null.", "39.80")
    )

    class Meta:
        model = CartItem
        fields = [
            "id", "cart", "product", "product_name", "sku", "slug", "image", "options", "unit_price", "quantity",
            "available", "line_total",
        ]  # fmt: skip
        read_only_fields = fields
        extra_kwargs = help_texts(
            id=HelpText("The item's id.", 13),
            cart=HelpText("The cart's id.", 9),
            product=HelpText("The product's id; null if it was deleted since.", 7),
            quantity=QUANTITY,
        )

    @extend_schema_field(ImageSerializer(allow_null=True))
    def get_image(self, item: CartItem) -> dict[str, Any] | None:
        images = item.product.ready_images if item.product else []  # type: ignore[attr-defined]
        return ImageWriter(self.context.get("request")).write(images[0]) if images else None

    def get_options(self, item: CartItem) -> dict[str, str]:
        return item.product.options if item.product else {}

    def get_available(self, item: CartItem) -> int:
        return item.product.quantity if item.product and item.product.is_active else 0


class NewItemSerializer(serializers.Serializer):
    """A product to add to the cart."""

    product = StrictIntegerField(min_value=1, max_value=2**63 - 1, help_text=HelpText("The product's id.", 7))
    quantity = StrictIntegerField(min_value=1, max_value=QUANTITY_MAX, help_text=QUANTITY)


class NewItemsSerializer(serializers.Serializer):
    """Several products to add to the cart: all or none."""

    items = serializers.ListField(
        child=NewItemSerializer(), min_length=1, max_length=ITEMS_MAX, help_text="The products, with quantities."
    )


class ItemQuantitySerializer(serializers.Serializer):
    """A new quantity. An item's product cannot change: another one is a 400."""

    product = StrictIntegerField(
        required=False, allow_null=True, help_text=HelpText("The item's own product, or omitted.", 7)
    )
    quantity = StrictIntegerField(min_value=1, max_value=QUANTITY_MAX, help_text=QUANTITY)

    def validate_product(self, value: int | None) -> int | None:
        if value != self.instance.product_id:  # type: ignore[union-attr]
            raise serializers.ValidationError("An item's product cannot change: add another item.", code="immutable")
        return value


class CartUserSerializer(serializers.ModelSerializer):
    class Meta:
        model = get_user_model()
        extra_kwargs = help_texts(
            id=HelpText("The account's id.", 5),
            username=HelpText("Unique, ignoring case; it contains no `@`.", "carla"),
        )
        fields = [*extra_kwargs]


class AddressIdSerializer(serializers.Serializer):
    """An address of the address book, which is copied."""

    id = StrictIntegerField(
        min_value=1, max_value=2**63 - 1, help_text=HelpText("Of an address in the owner's address book.", 4)
    )


REQUIRED_PARTS = {"name", "line1", "city", "country"}


@extend_schema_field(PolymorphicProxySerializer("AddressOrId", [PostalAddressSerializer, AddressIdSerializer], None))
class AddressField(serializers.Field):
    """A postal address, or `{"id"}` of one in the address book of the cart's owner."""

    def to_internal_value(self, data: Any) -> PostalAddress | BookAddress:
        is_id = isinstance(data, dict) and "id" in data and not data.keys() >= REQUIRED_PARTS
        serializer = AddressIdSerializer(data=data) if is_id else PostalAddressSerializer(data=data)
        serializer.is_valid(raise_exception=True)
        return BookAddress(**serializer.validated_data) if is_id else postal_address(serializer.validated_data)


class CartSerializer(serializers.ModelSerializer):
    user = CartUserSerializer(read_only=True, allow_null=True, help_text="The owner; null for a guest's cart.")
    email = serializers.CharField(source="contact_email", read_only=True, allow_null=True, help_text=EMAIL)
    items = CartItemSerializer(source="lines", many=True, read_only=True, help_text="The items of the cart.")
    count = serializers.IntegerField(read_only=True, help_text=HelpText("The number of pieces, not of lines.", 2))
    # More digits than an order's: a raised price, or a row older than the limit, must not break a list.
    total = MoneyField(max_digits=28, read_only=True, help_text=HelpText("At current prices.", "39.80"))
    currency = serializers.SerializerMethodField(help_text=CURRENCY)
    shipping_address = PostalAddressSerializer(
        read_only=True, allow_null=True, help_text="Where the goods go; null if there is none yet."
    )
    billing_address = PostalAddressSerializer(read_only=True, allow_null=True, help_text="null: the shipping address.")
    delivery_method = serializers.SerializerMethodField(help_text=DELIVERY_METHOD)
    amounts = AmountsSerializer(source="quote.amounts", read_only=True, help_text="What will be paid.")
    tax_lines = TaxLineSerializer(
        source="quote.amounts.tax_lines", many=True, read_only=True, help_text="The tax by rate, ascending."
    )
    missing = serializers.ListField(
        source="quote.missing",
        child=serializers.ChoiceField(MISSING),
        read_only=True,
        help_text="What checkout still needs.",
    )

    class Meta:
        model = Cart
        fields = [
            "id", "user", "email", "phone", "note", "shipping_address", "billing_address", "delivery_method", "items",
            "count", "total", "currency", "amounts", "tax_lines", "missing", "completed", "created_at", "updated_at",
        ]  # fmt: skip
        extra_kwargs = help_texts(
            id=HelpText("The cart's id.", 9),
            phone=PHONE,
            note=NOTE,
            completed="true checks out the cart; an existing cart has false.",
            created_at=CREATED_AT,
            updated_at=UPDATED_AT,
        )

    def get_currency(self, cart: Cart) -> str:
        return settings.CURRENCY

    def get_delivery_method(self, cart: Cart) -> str | None:
        return cart.delivery_method or None


class CartWriteSerializer(serializers.Serializer):
    """The writable fields of a cart; `completed: true` checks it out."""

    completed = StrictBooleanField(help_text="true checks out the cart; an existing cart has false.")
    email = EmailField(
        required=False, allow_null=True, help_text=HelpText("null: the account's address.", "carla@example.com")
    )
    phone = CharField(required=False, allow_blank=True, max_length=40, help_text=PHONE)
    note = CharField(required=False, allow_blank=True, max_length=2_000, help_text=NOTE)
    shipping_address = AddressField(required=False, allow_null=True, help_text="Where the goods go.")
    billing_address = AddressField(required=False, allow_null=True, help_text="null: the shipping address.")
    delivery_method = CharField(required=False, allow_null=True, max_length=50, help_text=DELIVERY_METHOD)

    def details(self) -> Details:
        """The given fields of the cart itself."""
        given = {name: value for name, value in self.validated_data.items() if name != "completed"}
        return {name: value if name.endswith("_address") else value or "" for name, value in given.items()}


class MergeSerializer(serializers.Serializer):
    guest_token = CharField(
        max_length=100, help_text=HelpText("The token of the guest.", "H2mIFPuv1sJtNeyI0SVcqz5tBmXk9TtqHk2XwqJ0yGs")
    )


class CappedSerializer(serializers.Serializer):
    product = serializers.IntegerField(allow_null=True, help_text=HelpText("null if it was deleted.", 7))
    wanted = serializers.IntegerField(help_text=HelpText("The pieces in the guest's cart.", 3))
    got = serializers.IntegerField(
        help_text=HelpText("The pieces that were added; 0 of a hidden or deleted product.", 1)
    )


class MergedCartSerializer(serializers.Serializer):
    cart = CartSerializer(help_text="The user's cart.")
    capped = CappedSerializer(many=True, help_text="The items that were not added in full.")


class CompletedCartSerializer(CartSerializer):
    """The cart as it was; `order` is the order's number if it was checked out."""

    omits = {"order"}
    order = serializers.CharField(
        read_only=True, help_text=HelpText("The order's number; absent if it was not checked out.", "SMT2-3GPF-YXX7")
    )

    class Meta(CartSerializer.Meta):
        fields = [*CartSerializer.Meta.fields, "order"]


CART, ITEM = Representation(CartSerializer), Representation(CartItemSerializer)


def represent(cart: Cart, request: Request) -> dict[str, Any]:
    """Return the cart as the API represents it. Reads what its items lack: their products and images."""
    _read_products(cart.lines)
    if cart.quote is None:
        pricing.quote_cart(cart)
    return CART.of(cart, request)


def represent_item(item: CartItem, request: Request) -> dict[str, Any]:
    """Return an item as the API represents it."""
    _read_products([item])
    return ITEM.of(item, request)


def _read_products(items: Sequence[CartItem]) -> None:
    prefetch_related_objects(items, "product")
    read_ready_images(item.product for item in items if item.product)

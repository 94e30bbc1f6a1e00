"""Serializers of orders."""

from typing import Any

from django.contrib.auth import get_user_model
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from orders.models import Order, OrderLine
from orders.tracking import Tracking, tracking_of, validate_tracking_url
from productbackend.api.fields import CREATED_AT, CURRENCY, UPDATED_AT, CharField, HelpText, MoneyField, help_texts
from productbackend.api.permissions import sees_all
from productbackend.api.postal_addresses import PostalAddressSerializer
from productbackend.api.representing import Representation
from products.families.fields import OptionsField
from taxes.serializers import RateField


class AmountsSerializer(serializers.Serializer):
    """What is paid, and of what it is made up. `total` includes `tax`, whether or not prices do."""

    items = MoneyField(max_digits=28, help_text=HelpText("The sum of the lines, as their prices say.", "39.80"))
    delivery = MoneyField(max_digits=28, help_text=HelpText("The price of the delivery.", "4.90"))
    tax = MoneyField(max_digits=28, help_text=HelpText("The sum of the tax lines.", "7.14"))
    total = MoneyField(max_digits=28, help_text=HelpText("What is paid.", "44.70"))


class TaxLineSerializer(serializers.Serializer):
    rate = RateField(help_text=HelpText("Percent.", "19"))
    net = MoneyField(max_digits=28, help_text=HelpText("The amounts with this rate, without tax.", "37.56"))
    tax = MoneyField(max_digits=28, help_text=HelpText("Their tax, rounded for each line.", "7.14"))


class DeliverySerializer(serializers.Serializer):
    """The delivery method as it was at checkout."""

    code = serializers.CharField(source="delivery_code", help_text=HelpText("The method's code.", "parcel"))
    name = serializers.CharField(source="delivery_name", help_text=HelpText("The method's name.", "Parcel"))
    price = MoneyField(source="delivery_price", help_text=HelpText("What the delivery cost.", "4.90"))


class TrackingSerializer(serializers.Serializer):
    carrier = serializers.CharField(help_text=HelpText("Who carries it; may be empty.", "Example Post"))
    number = serializers.CharField(help_text=HelpText("The number of the parcel; may be empty.", "JD0140600"))
    url = serializers.CharField(
        help_text=HelpText("Where to follow it; may be empty.", "https://post.example.com/JD0140600")
    )


class FulfilSerializer(serializers.Serializer):
    """How the parcel can be followed, if it can."""

    carrier = CharField(
        required=False, allow_blank=True, max_length=100, help_text=HelpText("Who carries it.", "Example Post")
    )
    tracking_number = CharField(
        required=False, allow_blank=True, max_length=100, help_text=HelpText("The parcel's number.", "JD0140600")
    )
    tracking_url = CharField(
        required=False,
        allow_blank=True,
        max_length=500,
        validators=[validate_tracking_url],
        help_text=HelpText("Where to follow it: http or https, or empty.", "https://post.example.com/JD0140600"),
    )

    def tracking(self) -> Tracking:
        given = self.validated_data
        return Tracking(given.get("carrier", ""), given.get("tracking_number", ""), given.get("tracking_url", ""))


class OrderLineSerializer(serializers.ModelSerializer):
    line_total = MoneyField(max_digits=20, read_only=True, help_text=HelpText("Price times quantity.", "39.80"))
    options = OptionsField(
        read_only=True, help_text=HelpText("The product's options at checkout: axis -> value.", {"Size": "M"})
    )
    tax_rate = RateField(read_only=True, allow_null=True, help_text=HelpText("Percent; null if no rate fitted.", "19"))

    class Meta:
        model = OrderLine
        fields = [
            "product", "sku", "slug", "name", "options", "unit_price", "quantity", "line_total", "tax_rate", "tax",
        ]  # fmt: skip
        read_only_fields = fields
        extra_kwargs = help_texts(
            product=HelpText("The product's id; null if it was deleted since.", 7),
            sku=HelpText("The stock keeping unit.", "WALKING-BOOT"),
            slug=HelpText("The product's slug at checkout; empty in orders from before slugs were stored.", "boot"),
            tax=HelpText("The tax of the line, rounded half up.", "6.35"),
            name=HelpText("The product's name, also after the product was deleted.", "Walking boot"),
            unit_price=HelpText("The price of one piece at checkout.", "19.90"),
            quantity=HelpText("Pieces.", 2),
        )


class ClaimedSerializer(serializers.Serializer):
    claimed = serializers.IntegerField(help_text=HelpText("The number of orders that are now the account's.", 2))


class CustomerSerializer(serializers.ModelSerializer):
    class Meta:
        model = get_user_model()
        fields = ["id", "username", "email"]
        extra_kwargs = help_texts(
            id=HelpText("The account's id.", 3),
            username=HelpText("The account's user name.", "carla"),
            email=HelpText("The account's e-mail address, or null.", "carla@example.com"),
        )


class OrderSerializer(serializers.ModelSerializer):
    """An order. `customer` is for staff only, and omitted for others."""

    omits = {"customer"}
    items = OrderLineSerializer(many=True, read_only=True, help_text="The order lines, with the prices at checkout.")
    customer = CustomerSerializer(
        source="user",
        read_only=True,
        allow_null=True,
        help_text="The account, for staff only; null for a guest's order, or if the account was closed.",
    )

    amounts = AmountsSerializer(read_only=True, help_text="What was paid.")
    tax_lines = TaxLineSerializer(
        source="amounts.tax_lines", many=True, read_only=True, help_text="The tax by rate, ascending."
    )
    shipping_address = PostalAddressSerializer(
        read_only=True, allow_null=True, help_text="Where the goods go, as it was at checkout; or null."
    )
    billing_address = PostalAddressSerializer(read_only=True, allow_null=True, help_text="null: the shipping address.")
    delivery = serializers.SerializerMethodField(help_text="The delivery method, or null.")
    tracking = serializers.SerializerMethodField(help_text="Of the parcel, or null.")

    class Meta:
        model = Order
        fields = [
            "number", "status", "items", "total", "currency", "amounts", "tax_lines", "delivery", "tracking", "email",
            "phone", "note", "shipping_address", "billing_address", "customer", "refunded", "paid_at", "expires_at",
            "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = fields
        extra_kwargs = help_texts(
            number=HelpText("The order's number, which is random.", "SMT2-3GPF-YXX7"),
            status="pending where the order waits for money, then paid or expired; then fulfilled or cancelled.",
            total=HelpText("What is paid.", "44.70"),
            refunded=HelpText("What was paid back.", "0.00"),
            paid_at=HelpText("When it was paid, or null.", "2026-07-01T06:00:00Z"),
            expires_at=HelpText("Until when a pending order holds its stock, or null.", "2026-07-01T06:30:00Z"),
            currency=CURRENCY,
            email=HelpText("The address for the order; empty if there is none.", "carla@example.com"),
            phone=HelpText("A telephone number for the order.", "+49 30 901820"),
            note=HelpText("The customer's note for the shop.", "Ring twice."),
            created_at=CREATED_AT,
            updated_at=UPDATED_AT,
        )

    @extend_schema_field(DeliverySerializer(allow_null=True))
    def get_delivery(self, order: Order) -> dict[str, Any] | None:
        return DELIVERY.of(order) if order.delivery_code else None

    @extend_schema_field(TrackingSerializer(allow_null=True))
    def get_tracking(self, order: Order) -> dict[str, Any] | None:
        tracking = tracking_of(order)
        return TRACKING.of(tracking) if tracking else None

    def get_fields(self) -> dict[str, serializers.Field]:
        fields = super().get_fields()
        request = self.context.get("request")
        if request is not None and not sees_all(request.user, Order):
            del fields["customer"]
        return fields


def _for_customers(**kwargs: Any) -> OrderSerializer:
    serializer = OrderSerializer(**kwargs)
    del serializer.fields["customer"]
    return serializer


DELIVERY, TRACKING = Representation(DeliverySerializer), Representation(TrackingSerializer)
FOR_STAFF, FOR_CUSTOMERS = Representation(OrderSerializer), Representation(_for_customers)


def represent(order: Order, request: Request) -> dict[str, Any]:
    """Return the order as the API represents it to the request's user."""
    return (FOR_STAFF if sees_all(request.user, Order) else FOR_CUSTOMERS).of(order)

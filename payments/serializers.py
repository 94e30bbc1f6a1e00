"""Serializers of payments."""

from django.conf import settings
from django.core.validators import RegexValidator
from rest_framework import serializers

from payments.models import Payment
from payments.providers import provider
from productbackend.api.fields import CREATED_AT, CURRENCY, CharField, HelpText, help_texts

URL_MAX = 2_000
validate_return_url = RegexValidator(
    r"\Ahttps?://[A-Za-z0-9\[][!-~]*\Z",
    "Enter a URL that begins with https:// or http://, in ASCII without spaces.",
)


class PaymentMethodSerializer(serializers.Serializer):
    """A way to pay that the shop offers now."""

    code = serializers.CharField(help_text=HelpText("What a payment has as its `method`.", "transfer"))
    name = serializers.CharField(help_text=HelpText("Its name, for customers.", "Bank transfer"))
    instructions = serializers.CharField(
        help_text=HelpText("What a customer has to know; may be empty.", "Name the order's number.")
    )
    publishable_key = serializers.CharField(
        allow_null=True, help_text=HelpText("Stripe's, for its library in a browser; null for other methods.", None)
    )


class PaymentMethodsSerializer(serializers.Serializer):
    results = PaymentMethodSerializer(many=True, help_text="The methods, in the shop's order.")


class NewPaymentSerializer(serializers.Serializer):
    """By which method an order is paid."""

    method = CharField(max_length=20, help_text=HelpText("The code of one of /payment-methods/.", "transfer"))
    return_url = CharField(
        required=False,
        allow_blank=True,
        default="",
        max_length=URL_MAX,
        validators=[validate_return_url],
        help_text=HelpText(
            "Where the method's own page sends the customer back: http or https.", "https://shop.example.com/paid"
        ),
    )


class PaymentSerializer(serializers.ModelSerializer):
    """An attempt to pay an order."""

    client_secret = serializers.SerializerMethodField(
        help_text=HelpText("For the method's library in a browser while the payment is pending; or null.", None)
    )
    redirect_url = serializers.SerializerMethodField(
        help_text=HelpText("The method's own page, where the customer pays; or null.", None)
    )
    instructions = serializers.SerializerMethodField(
        help_text=HelpText("What the customer has to know; may be empty.", "Name the order's number.")
    )
    expires_at = serializers.DateTimeField(
        source="order.expires_at",
        read_only=True,
        allow_null=True,
        help_text=HelpText("Until when the order waits for money; null if it does not.", "2026-07-01T06:30:00Z"),
    )

    class Meta:
        model = Payment
        fields = [
            "id", "method", "status", "amount", "currency", "client_secret", "redirect_url", "instructions",
            "created_at", "expires_at",
        ]  # fmt: skip
        read_only_fields = fields
        extra_kwargs = help_texts(
            id=HelpText("The payment's id.", 1),
            method=HelpText("The code of its method.", "transfer"),
            status=HelpText("cancelled is not final: money may still come.", "pending"),
            amount=HelpText("What is paid.", "44.70"),
            currency=CURRENCY,
            created_at=CREATED_AT,
        )

    def get_client_secret(self, payment: Payment) -> str | None:
        return (payment.client_secret or None) if payment.status == Payment.Status.PENDING else None

    def get_redirect_url(self, payment: Payment) -> str | None:
        return payment.redirect_url or None

    def get_instructions(self, payment: Payment) -> str:
        # The library of a method that is not offered any more need not be installed.
        return provider(payment.method).instructions if payment.method in settings.PAYMENT_METHODS else ""

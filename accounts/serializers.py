"""Serializers of the account endpoints."""

from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from accounts import names
from accounts.backends import NAME_MAX, PASSWORD_MAX
from accounts.models import Address, User
from productbackend.api.fields import EmailField, HelpText, StrictBooleanField, help_texts
from productbackend.api.postal_addresses import PostalAddressSerializer
from productbackend.database.postal_addresses import LENGTHS

USERNAME_MAX = 150
USERNAME = HelpText("Unique, ignoring case; it contains no `@`.", "carla")
ADDRESS = HelpText("Unique; stored in lower case.", "carla@example.com")
FIRST_NAME = HelpText("The given name.", "Carla")
LAST_NAME = HelpText("The family name.", "Columna")
OWN_PASSWORD = HelpText("The account's password.", "correct horse battery")
NEW_PASSWORD = HelpText("It must satisfy the shop's rules for passwords.", "correct horse battery")
FROM_MAIL = "From the link in the mail."
REFRESH = HelpText("For the next pair of tokens; it works once.", "eyJhbGciOiJIUzI1NiJ9.e30.refresh")


class UsernameField(serializers.CharField):
    """A user name, normalized before it is validated."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=USERNAME_MAX, validators=User._meta.get_field("username").validators[:1], **kwargs)

    def to_internal_value(self, data: Any) -> str:
        value: str = super().to_internal_value(data)
        # A value that is too long is not normalized: that could take long. The validator rejects it.
        return value if len(value) > USERNAME_MAX else User.normalize_username(value)


class NameField(serializers.CharField):
    """A first or last name; it may be empty."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            max_length=names.LENGTH_MAX, allow_blank=True, required=False, validators=[names.validate], **kwargs
        )


class PasswordField(serializers.CharField):
    """A password, not trimmed."""

    def __init__(self, **kwargs: Any) -> None:
        style = {"input_type": "password"}
        super().__init__(max_length=PASSWORD_MAX, trim_whitespace=False, write_only=True, style=style, **kwargs)


class NewPasswordField(PasswordField):
    """A new password. Django's validators check it in the domain."""

    described_as = {"minLength": 8}


class AccountSerializer(serializers.ModelSerializer):
    class Meta:
        model = User
        extra_kwargs = help_texts(
            id=HelpText("The account's id.", 5),
            username=USERNAME,
            email=ADDRESS,
            email_verified="Whether the address was verified by the link in a mail.",
            pending_email=HelpText("A new address that is not verified yet.", "carla@example.org"),
            first_name=FIRST_NAME,
            last_name=LAST_NAME,
            date_joined=HelpText("When the account was created.", "2026-03-01T12:00:00Z"),
        )
        fields = [*extra_kwargs]
        read_only_fields = fields


class ClosingSerializer(serializers.Serializer):
    password = PasswordField(help_text=OWN_PASSWORD)


@extend_schema_serializer(component_name="AccountChange")
class AccountChangeSerializer(serializers.Serializer):
    email = EmailField(
        required=False, help_text=HelpText("The new address: `pending_email` until it is verified.", ADDRESS.example)
    )
    first_name = NameField(help_text=FIRST_NAME)
    last_name = NameField(help_text=LAST_NAME)
    password = PasswordField(
        required=False, help_text=HelpText("The account's password; required with `email`.", OWN_PASSWORD.example)
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "email" in attrs and "password" not in attrs:
            raise serializers.ValidationError({"password": ["A new address requires the password."]}, code="required")
        return attrs


class RegistrationSerializer(serializers.Serializer):
    username = UsernameField(help_text=USERNAME)
    email = EmailField(help_text=ADDRESS)
    password = NewPasswordField(help_text=NEW_PASSWORD)
    repeat_password = NewPasswordField(help_text=HelpText("The same password again.", NEW_PASSWORD.example))
    first_name = NameField(help_text=FIRST_NAME)
    last_name = NameField(help_text=LAST_NAME)

    def validate_username(self, value: str) -> str:
        names.validate(value)
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.pop("repeat_password") != attrs["password"]:
            raise serializers.ValidationError({"repeat_password": ["The two passwords differ."]}, code="mismatch")
        return attrs


class AddressSerializer(PostalAddressSerializer, serializers.ModelSerializer):
    """A postal address in the user's address book."""

    is_default = StrictBooleanField(
        required=False, help_text="Whether it is the one to propose first. One at most: true unsets it of the others."
    )

    class Meta:
        model = Address
        fields = ["id", *LENGTHS, "is_default"]
        extra_kwargs = help_texts(id=HelpText("The address's id.", 4))


class GuestSerializer(serializers.Serializer):
    guest_token = serializers.CharField(
        help_text=HelpText(
            "For the header `Guest-Token`. It is shown once: store it.", "H2mIFPuv1sJtNeyI0SVcqz5tBmXk9TtqHk2XwqJ0yGs"
        )
    )


class CredentialsSerializer(serializers.Serializer):
    username = serializers.CharField(
        max_length=NAME_MAX, help_text=HelpText("The user name, in any case, or the e-mail address.", "carla")
    )
    password = PasswordField(help_text=OWN_PASSWORD)


class TokenPairSerializer(serializers.Serializer):
    access = serializers.CharField(
        help_text=HelpText("For `Authorization: Bearer`; it expires in minutes.", "eyJhbGciOiJIUzI1NiJ9.e30.access")
    )
    refresh = serializers.CharField(help_text=REFRESH)


class RefreshSerializer(serializers.Serializer):
    refresh = serializers.CharField(max_length=4096, help_text=REFRESH)


class PasswordChangeSerializer(serializers.Serializer):
    old_password = PasswordField(help_text=HelpText("The current password.", OWN_PASSWORD.example))
    new_password = NewPasswordField(help_text=NEW_PASSWORD)


class PasswordResetSerializer(serializers.Serializer):
    email = EmailField(help_text=ADDRESS)


class NewPasswordSerializer(serializers.Serializer):
    uid = serializers.CharField(max_length=100, help_text=HelpText(FROM_MAIL, "NQ"))
    token = serializers.CharField(max_length=200, help_text=HelpText(FROM_MAIL, "c3x5k1-9f2d"))
    new_password = NewPasswordField(help_text=NEW_PASSWORD)


class ConfirmationSerializer(serializers.Serializer):
    token = serializers.CharField(max_length=1000, help_text=HelpText(FROM_MAIL, "c3x5k1-9f2d"))

"""The shapes of what is sent to the account's paths, and of what they answer."""

from typing import Any

from rest_framework import serializers

from accounts.models import User


class UsernameField(serializers.CharField):
    """A user name in its normal form, which is also what is judged."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=150, validators=User._meta.get_field("username").validators[:1], **kwargs)

    def to_internal_value(self, data: Any) -> str:
        return User.normalize_username(super().to_internal_value(data))


class AddressField(serializers.EmailField):
    """An e-mail address, kept in lower case."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=254, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        return super().to_internal_value(data).lower()


class PasswordField(serializers.CharField):
    """A password, of which nothing is trimmed. Nobody remembers a thousand characters."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=1000, trim_whitespace=False, write_only=True, style={"input_type": "password"})


class NewPasswordField(PasswordField):
    """A password that the shop's rules are to accept; they say in words of their own what does not."""

    described_as = {"minLength": 8}


class AccountSerializer(serializers.ModelSerializer):
    class Meta:
        model = User
        fields = [
            "id",
            "username",
            "email",
            "email_verified",
            "pending_email",
            "first_name",
            "last_name",
            "date_joined",
        ]
        read_only_fields = fields


class AccountChangeSerializer(serializers.Serializer):
    email = AddressField(required=False, help_text="It is `pending_email` until it is confirmed.")
    first_name = serializers.CharField(max_length=150, allow_blank=True, required=False)
    last_name = serializers.CharField(max_length=150, allow_blank=True, required=False)


class RegistrationSerializer(serializers.Serializer):
    username = UsernameField()
    email = AddressField()
    password = NewPasswordField()
    repeat_password = NewPasswordField()
    first_name = serializers.CharField(max_length=150, allow_blank=True, required=False)
    last_name = serializers.CharField(max_length=150, allow_blank=True, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.pop("repeat_password") != attrs["password"]:
            raise serializers.ValidationError({"repeat_password": ["The two passwords differ."]}, code="mismatch")
        return attrs


class CredentialsSerializer(serializers.Serializer):
    username = serializers.CharField(max_length=254, help_text="The user name, in any case, or the e-mail address.")
    password = PasswordField()


class TokenPairSerializer(serializers.Serializer):
    access = serializers.CharField(help_text="For `Authorization: Bearer`; it lives for minutes.")
    refresh = serializers.CharField(help_text="For the next pair; it works once.")


class RefreshSerializer(serializers.Serializer):
    refresh = serializers.CharField(max_length=4096)


class PasswordChangeSerializer(serializers.Serializer):
    old_password = PasswordField()
    new_password = NewPasswordField()


class PasswordResetSerializer(serializers.Serializer):
    email = AddressField()


class NewPasswordSerializer(serializers.Serializer):
    uid = serializers.CharField(max_length=100)
    token = serializers.CharField(max_length=200)
    new_password = NewPasswordField()


class ConfirmationSerializer(serializers.Serializer):
    token = serializers.CharField(max_length=1000)

"""The user model, and recorded changes of address."""

from collections.abc import Collection
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models, transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from accounts.naming import validate_username
from accounts.signals import password_changed
from productbackend.database import recorded
from productbackend.database.fields import KeyField, fold
from productbackend.database.postal_addresses import PostalAddressColumns
from productbackend.text.addresses import canonical_address, validate_address


class AccountManager(UserManager["User"].from_queryset(recorded.RecordedQuerySet)):  # type: ignore[misc]
    """Finds users by name in any case."""

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(username_key=fold(username or ""))


class User(AbstractUser):
    """An account. Its user name and its e-mail address are unique in any case."""

    username = KeyField(
        max_length=150,
        unique=True,
        validators=[validate_username],
        error_messages={"unique": "This name is taken."},
    )
    username_key = KeyField(max_length=450, unique=True, editable=False)
    # Null if there is none: a unique column holds "" only once.
    email = KeyField(  # type: ignore[assignment]
        "e-mail address",
        max_length=254,
        unique=True,
        null=True,
        blank=True,
        validators=[validate_address],
        error_messages={"unique": "This address is taken."},
    )
    email_verified = models.BooleanField(default=False)
    # A requested address until it is verified. Not unique: the first account to verify it gets it.
    pending_email = KeyField(max_length=254, null=True, blank=True, validators=[validate_address])
    # Incrementing it revokes every token and session.
    token_version = models.PositiveIntegerField(default=0, editable=False)

    objects: ClassVar[AccountManager] = AccountManager()

    class Meta:
        indexes = [
            models.Index(fields=["date_joined"], name="user_date_joined"),  # for the welcome job
            models.Index(fields=["is_staff"], name="user_is_staff"),  # to list staff
            models.Index(fields=["is_active"], name="user_is_active"),  # to list those who are not
        ]

    def clean_fields(self, exclude: Collection[str] | None = None) -> None:
        """Skip an unchanged user name: it may predate the naming rule, and staff can still edit the account."""
        exclude = set(exclude or ())
        if self.pk and User.objects.filter(pk=self.pk, username=self.username).exists():
            exclude.add("username")
        super().clean_fields(exclude)

    def save(self, *args: Any, **kwargs: Any) -> None:
        # A password set by the admin, a command or a shell revokes tokens and sessions, and drops a pending address.
        # The API sets passwords by passwords.py. A rehash of the same password has no `_password` any more.
        has_new_password = getattr(self, "_password", None) is not None and self.pk is not None
        if has_new_password:
            self.token_version += 1
            self.pending_email = None
            if kwargs.get("update_fields") is not None:
                kwargs["update_fields"] = {*kwargs["update_fields"], "token_version", "pending_email"}
        self.username_key = fold(self.username)
        self.email = canonical_address(self.email) if self.email else None
        self.pending_email = canonical_address(self.pending_email) if self.pending_email else None
        fields = kwargs.get("update_fields")
        if fields is not None and "username" in fields:
            kwargs["update_fields"] = {*fields, "username_key"}
        with transaction.atomic() if has_new_password else recorded.atomic(self, kwargs.get("update_fields")):
            super().save(*args, **kwargs)
            if has_new_password:
                password_changed.send(sender=User, user=self)

    def set_unusable_password(self) -> None:
        super().set_unusable_password()
        self.token_version += 1
        self.pending_email = None

    @property
    def token_digest(self) -> str:
        """The digest in every token of the account. It changes with the password and with `token_version`."""
        return self._token_digest(None)

    def token_digests(self) -> list[str]:
        """Return the accepted digests: the current one under SECRET_KEY and under each of SECRET_KEY_FALLBACKS."""
        return [self._token_digest(secret) for secret in (None, *settings.SECRET_KEY_FALLBACKS)]

    def _token_digest(self, secret: str | None) -> str:
        return salted_hmac("accounts.token", f"{self.token_version}:{self.password}", secret=secret).hexdigest()[:20]

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Include `token_version`, so that signing out everywhere ends sessions too."""
        text = f"{super()._get_session_auth_hash(secret)}:{self.token_version}"  # type: ignore[misc]
        return salted_hmac("accounts.session", text, secret=secret, algorithm="sha256").hexdigest()


class Guest(models.Model):
    """A customer without an account, who is known by a token. The token is stored as its SHA-256 alone."""

    token_hash = KeyField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    def __str__(self) -> str:
        return f"guest {self.pk}"


class AddressChange(models.Model):
    """A requested change of an account's address, which can be undone for some days."""

    user = models.ForeignKey(User, models.CASCADE, related_name="address_changes")
    old_email = KeyField(max_length=254)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    def __str__(self) -> str:
        return f"change of address {self.pk}"


class SignInNetwork(models.Model):
    """A network that a member of staff signed in from: its first 24 bits (IPv4) or 48 bits (IPv6)."""

    user = models.ForeignKey(User, models.CASCADE, related_name="sign_in_networks")
    network = KeyField(max_length=50)
    last_used_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "network"], name="sign_in_network")]

    def __str__(self) -> str:
        return f"network of account {self.user_id}"


class Address(models.Model):
    """A postal address in a user's address book. One at most is the default."""

    user = models.ForeignKey(User, models.CASCADE, related_name="addresses")
    postal_address = PostalAddressColumns("")
    is_default = models.BooleanField(default=False)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"address {self.pk}"

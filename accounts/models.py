"""Who may sign in."""

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, UserManager
from django.core.validators import RegexValidator, validate_email
from django.db import models
from django.utils.crypto import salted_hmac

from productbackend.fields import KeyField, fold


class AccountManager(UserManager["User"]):
    """Finds users by name, in any case."""

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(username_key=fold(username or ""))


class User(AbstractUser):
    """An account. Its name is unique whatever its case, and so is its e-mail address."""

    username = KeyField(
        max_length=150,
        unique=True,
        validators=[RegexValidator(r"\A[\w.+-]+\Z", "It takes letters, digits and the characters . + - _ alone.")],
        error_messages={"unique": "This name is taken."},
    )
    username_key = KeyField(max_length=450, unique=True, editable=False)
    # Null where there is none: "" could stand only once in a unique column.
    email = KeyField(  # type: ignore[assignment]
        "e-mail address",
        max_length=254,
        unique=True,
        null=True,
        blank=True,
        validators=[validate_email],
        error_messages={"unique": "This address is taken."},
    )
    email_verified = models.BooleanField(default=False)
    # A new address, until it is confirmed. Not unique: whoever confirms first has it.
    pending_email = KeyField(max_length=254, null=True, blank=True, validators=[validate_email])
    # Raising it ends every token and session that was made before.
    token_version = models.PositiveIntegerField(default=0, editable=False)

    objects: ClassVar[AccountManager] = AccountManager()

    class Meta:
        indexes = [models.Index(fields=["date_joined"], name="user_date_joined")]  # who is owed the welcome mail

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.username_key = fold(self.username)
        self.email = self.email.lower() if self.email else None
        self.pending_email = self.pending_email.lower() if self.pending_email else None
        fields = kwargs.get("update_fields")
        if fields is not None and "username" in fields:
            kwargs["update_fields"] = {*fields, "username_key"}
        super().save(*args, **kwargs)

    @property
    def token_stamp(self) -> str:
        """What every token of the account bears: another password or another `token_version` ends them all."""
        return salted_hmac("accounts.token", f"{self.token_version}:{self.password}").hexdigest()[:20]

    def get_session_auth_hash(self) -> str:
        """Ends sessions with the tokens, when the user logs out everywhere."""
        text = f"{super().get_session_auth_hash()}:{self.token_version}"
        return salted_hmac("accounts.session", text, algorithm="sha256").hexdigest()

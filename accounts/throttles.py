"""Throttles by account and by named account. accounts/guesses.py counts password guesses."""

from rest_framework.request import Request

from accounts.backends import NAME_MAX
from accounts.models import User
from productbackend.api.throttling import ClientIPThrottle, CountingThrottle
from productbackend.database.fields import fold
from productbackend.text.addresses import canonical_address


class AccountThrottle(CountingThrottle):
    """Counts by the account that the body names, whether or not it exists."""

    field = "username"

    def ident(self, request: Request) -> str | None:
        name = as_text(request.data.get(self.field)) if isinstance(request.data, dict) else ""
        # Account names are not longer.
        return f"{self.field}:{self.normalized(name[:NAME_MAX])}" if name else None

    def normalized(self, name: str) -> str:
        return fold(User.normalize_username(name))


class RecipientThrottle(AccountThrottle):
    """Counts by the e-mail address in the body."""

    field = "email"

    def normalized(self, name: str) -> str:
        return canonical_address(name)


class PasswordThrottle(ClientIPThrottle):
    """Counts requests with a password by client address, with one count for all endpoints."""

    scope = "token"

    def ident(self, request: Request) -> str | None:
        return super().ident(request) if carries_password(request) else None


class NewAddressThrottle(RecipientThrottle):
    """Counts requests for a new address by that address, across accounts: each request sends it a mail."""

    def ident(self, request: Request) -> str | None:
        return super().ident(request) if changes_email(request) else None


class EmailChangeThrottle(CountingThrottle):
    """Counts requests for a new address by the signed-in account: each request sends a mail."""

    def ident(self, request: Request) -> str | None:
        return f"account:{request.user.pk}" if changes_email(request) else None


def changes_email(request: Request) -> bool:
    return request.method == "PATCH" and isinstance(request.data, dict) and "email" in request.data


def carries_password(request: Request) -> bool:
    return request.method in ("POST", "DELETE") or changes_email(request)


def as_text(value: object) -> str:
    """Convert as a CharField does: a number to its digits, any other value that is not text to an empty string."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value).strip()

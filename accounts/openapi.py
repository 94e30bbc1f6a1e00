"""What accounts add to the problem types and to the OpenAPI document."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension

from productbackend.api.openapi.document import GUIDE, LINKS, OBJECT, TAGS, Link
from productbackend.api.problem_types import PROBLEMS, Problem


class BearerScheme(OpenApiAuthenticationExtension):
    """Registers Bearer for our authentication class: spectacular silently drops subclasses of simplejwt's."""

    target_class = "accounts.authentication.BearerAuthentication"
    name = "Bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "An access token from `/token/`. Paste the token only; `Bearer` is added.",
        }


class GuestScheme(OpenApiAuthenticationExtension):
    """Registers the header Guest-Token."""

    target_class = "accounts.authentication.GuestAuthentication"
    name = "Guest"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Guest-Token",
            "description": "The token of a guest, from `/guests/`, in a shop with `GUEST_CHECKOUT`.",
        }


PROBLEM_TYPES = {
    "invalid-token": Problem(
        400,
        "The link is no longer valid",
        "The token of a mail was used, has expired, or was not issued by this shop.",
        "Request a new mail.",
    ),
}
SIGNING_IN = """`POST /register/`, then `POST /token/`; send `Authorization: Bearer <access>`. An access token expires
after minutes; `POST /token/refresh/` exchanges the refresh token, once, for the next pair. Reading the catalogue needs
no token."""

GUESTS = """In a shop with `GUEST_CHECKOUT` nobody needs an account to buy: `POST /guests/` returns a token, once. Send
it as `Guest-Token` to carts, items and orders. After signing in, `POST /carts/merge/` adds the guest's cart to the
user's."""


def register() -> None:
    PROBLEMS.update(PROBLEM_TYPES)
    TAGS["accounts"] = "Accounts, their tokens and their address books."
    GUIDE["Signing in."] = SIGNING_IN
    GUIDE["Guests."] = GUESTS
    refresh = {"refresh": "$response.body#/refresh"}
    for operation in ("token_create", "token_refresh"):
        LINKS.append(Link(operation, "200", ["token_refresh", "token_revoke"], body=refresh))
    addresses = [f"account_addresses_{verb}" for verb in OBJECT]
    LINKS.append(Link("account_addresses_create", "201", addresses, {"id": "$response.body#/id"}))
    LINKS.append(Link("account_addresses_list", "200", addresses, {"id": "$response.body#/results/0/id"}))

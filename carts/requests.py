"""The headers of requests to carts: If-Match and Prefer."""

from rest_framework.request import Request

from carts.checkout import Precondition
from carts.models import Cart
from carts.serializers import represent
from productbackend.api import conditional

PREFER_MAX = 200  # characters of the header that are read


def if_match_precondition(request: Request) -> Precondition:
    """Return a function that compares If-Match with the locked cart, and raises precondition-failed."""

    def precondition(cart: Cart) -> None:
        if conditional.is_conditional(request):
            now = represent(cart, request)
            conditional.require_match(request, now, "The cart has changed since you read it.", cart=now)

    return precondition


def wants_cart(request: Request) -> bool:
    """Whether the request prefers the cart as the response of an item's write (RFC 7240)."""
    header = request.headers.get("Prefer", "")[:PREFER_MAX]
    preferences = [{part.strip().replace('"', "") for part in each.split(";")} for each in header.split(",")]
    return {"return=representation", "of=cart"} in preferences

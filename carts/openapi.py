"""What carts and checkout add to the problem types and to the OpenAPI document."""

from rest_framework import serializers

from carts.serializers import CartSerializer
from delivery.offers import REASONS
from orders.openapi import STEPS
from productbackend.api.fields import HelpText
from productbackend.api.openapi.document import GUIDE, LINKS, OBJECT, TAGS, Link
from productbackend.api.openapi.problems import SERIALIZERS, ProblemSerializer
from productbackend.api.problem_types import PROBLEMS, Problem


class OrderedProblemSerializer(ProblemSerializer):
    """A 409 with the number of the order of the cart."""

    order = serializers.CharField(help_text=HelpText("The order's number.", "SMT2-3GPF-YXX7"))


class IncompleteProblemSerializer(ProblemSerializer):
    """A 409 with what the cart lacks."""

    missing = serializers.ListField(child=serializers.CharField(), help_text=HelpText("The cart's fields.", ["email"]))


class ChangedProblemSerializer(ProblemSerializer):
    """A 412; after a checkout it includes the current cart."""

    omits = {"cart"}
    cart = CartSerializer(required=False, help_text="The current cart.")


class DeliveryProblemSerializer(ProblemSerializer):
    """A 409 with the reason why the chosen delivery method is not offered."""

    reason = serializers.ChoiceField(
        REASONS, help_text=HelpText("Why the method is not offered for this cart.", "amount_too_low")
    )


PROBLEM_TYPES = {
    "empty-cart": Problem(
        409, "The cart is empty", "A cart without items cannot be checked out.", "Add an item first."
    ),
    "checkout-incomplete": Problem(
        409,
        "The cart lacks what checkout needs",
        "`missing` lists the fields of the cart that checkout still needs. Nothing was changed.",
        "Set them with PATCH, and check out again.",
    ),
    "delivery-unavailable": Problem(
        409,
        "The chosen delivery method is not offered for this cart",
        f"`reason` says why: one of {', '.join(REASONS)}. Nothing was changed.",
        "Choose an `available` one of /carts/{id}/delivery-methods/, or null if it lists none, and check out again.",
    ),
    "already-ordered": Problem(
        409,
        "The cart has already become an order",
        "`order` is the number of the order that was created from it.",
        "Read /orders/{order}/.",
    ),
    "idempotency-key-reused": Problem(
        422,
        "The idempotency key belongs to another request",
        "The same `Idempotency-Key` was sent before with another method, path or body.",
        "Generate a new key for each new request; repeat a request unchanged to get its response again.",
    ),
}
BUYING = """`POST /cart-items/` adds a product to the cart and creates the cart; `POST /carts/{id}/checkout/` creates an
order from it. Send an `Idempotency-Key` with it: a repeated request returns the same order. Send the cart's `ETag` as
`If-Match`, so that nobody pays a total that they did not see."""
DELIVERY = """PATCH the cart with a `shipping_address`, which is an address or `{"id"}` of one in the address book; then
`GET /carts/{id}/delivery-methods/`, and PATCH the `code` of an available one as `delivery_method`. The cart's `amounts`
are what will be paid, `tax_lines` the tax in them, and `missing` what checkout still needs. A shop without delivery
methods and tax rates needs none of this."""


def register() -> None:
    PROBLEMS.update(PROBLEM_TYPES)
    SERIALIZERS["checkout-incomplete"] = IncompleteProblemSerializer
    SERIALIZERS["delivery-unavailable"] = DeliveryProblemSerializer
    SERIALIZERS["already-ordered"] = OrderedProblemSerializer
    SERIALIZERS["precondition-failed"] = ChangedProblemSerializer
    TAGS["carts"] = "The customer's cart, and its checkout."
    GUIDE["Buying."] = BUYING
    GUIDE["Delivery and tax."] = DELIVERY
    ids, cart = {"id": "$response.body#/id"}, {"id": "$response.body#/cart"}
    first = {"id": "$response.body#/results/0/id"}
    own = ["carts_retrieve", "carts_delivery_methods", "carts_checkout", "carts_destroy"]
    items = [f"cart_items_{verb}" for verb in OBJECT]
    LINKS.extend(
        [
            Link("carts_create", "201", own, ids),
            Link("carts_create", "200", own, ids),
            Link("carts_list", "200", [f"carts_{verb}" for verb in OBJECT], first),
            Link("carts_checkout", "201", STEPS, {"number": "$response.body#/number"}),
            Link("cart_items_create", "201", items, ids),
            Link("cart_items_create", "201", ["carts_retrieve", "carts_checkout"], cart),
            Link("cart_items_create", "200", ["cart_items_retrieve"], ids),
            Link("cart_items_create", "200", ["carts_checkout"], cart),
            Link("cart_items_list", "200", items, first),
            Link(
                "products_create", "201", ["cart_items_create"], body={"product": "$response.body#/id", "quantity": 1}
            ),
            Link(
                "products_list",
                "200",
                ["cart_items_create"],
                body={"product": "$response.body#/results/0/id", "quantity": 1},
            ),
        ]
    )

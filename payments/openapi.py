"""What payments add to the problem types and to the OpenAPI document."""

from productbackend.api.openapi.document import GUIDE, LINKS, TAGS, Link
from productbackend.api.problem_types import PROBLEMS, Problem

PROBLEM_TYPES = {
    "payment-refused": Problem(
        409,
        "The payment provider refused the payment",
        "The provider refused to start the payment, and would again. The order still waits for money.",
        "Choose another method of /payment-methods/.",
    ),
    "invalid-signature": Problem(
        400,
        "The event is not signed by its provider",
        "The signature does not fit the body, or is too old. Nothing was stored.",
        "For the shop's administrator: compare the webhook's secret with the provider's, and the clock.",
    ),
}
PAYING = """A shop with payment methods writes an order as `pending`: it holds its stock until `expires_at`. List
`/payment-methods/`, `POST /orders/{number}/payments/` with one and a `return_url`, and go on with its `client_secret`,
its `redirect_url` or its `instructions`. Then read the payment until it is not `pending`."""


def register() -> None:
    PROBLEMS.update(PROBLEM_TYPES)
    TAGS["payments"] = "The ways to pay, and the payments of orders."
    GUIDE["Paying."] = PAYING
    number = {"number": "$response.body#/number"}
    one = {"number": "$request.path.number", "id": "$response.body#/id"}
    LINKS.extend(
        [
            Link("carts_checkout", "201", ["payments_list"], number),
            Link("orders_list", "200", ["payments_list"], {"number": "$response.body#/results/0/number"}),
            Link("payment_methods_list", "200", ["payments_create"], body={"method": "$response.body#/results/0/code"}),
            Link("payments_create", "201", ["payments_retrieve"], one),
            Link("payments_create", "200", ["payments_retrieve"], one),
        ]
    )

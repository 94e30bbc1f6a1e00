"""Checks in addition to Schemathesis's own."""

import requests
import schemathesis

# Why a valid request by the document may be rejected: because of the state of the shop, or of values that only the
# shop can generate. Problem types; of a validation error the field, if it is only one, and the code.
STATES = {
    "/problems/already-ordered",
    "/problems/checkout-incomplete",
    "/problems/delivery-unavailable",
    "/problems/empty-cart",
    "/problems/forbidden",
    "/problems/idempotency-key-reused",
    "/problems/in-use",
    "/problems/insufficient-stock",
    "/problems/invalid-image",  # its content is none
    "/problems/invalid-token",
    "/problems/not-authenticated",
    "/problems/not-found",
    "/problems/order-state",
    "/problems/payment-refused",
    "/problems/precondition-failed",
    "/problems/refund-too-large",
}
REASONS = {
    (None, "unique"),
    (None, "does_not_exist"),
    *((None, f"password_{why}") for why in ("too_common", "too_similar", "entirely_numeric")),
    (None, "max_addresses"),
    (None, "amount_or_items"),  # of a refund: both, or neither
    ("amount", "min_value"),  # a refund of 0.00
    ("amount", "not_the_total"),  # of the order that is marked as paid
    ("method", "invalid_choice"),  # a way to pay that the shop does not offer
    ("sku", "unknown"),  # not of the order
    ("delivery", "not_left"),  # refunded already, or there was none
    (None, "blank"),  # spaces and the like, which are trimmed
    ("image", "empty"),
    # Of an imported file: its content is no table, or one without the columns.
    *(("file", why) for why in ("csv", "empty", "encoding", "no_sku", "repeated_column", "unknown_column", "xlsx")),
    ("cursor", "invalid"),  # encrypted by the shop
    ("offset", "invalid"),  # together with a cursor
    ("images", "invalid"),  # not the product's images
    ("order", "invalid"),  # not the family's products
    ("options", "unknown_axis"),  # of the family
    ("options", "repeated"),  # an axis in two spellings
    ("options", "max_length"),  # more combinations than a family may have
    ("options", "invisible"),
    ("axes", "invalid"),  # another number of them than the products have, or one with a colon
    ("parent", "invalid"),  # a descendant of the category
    ("product", "immutable"),
    *((name, "unknown_parameter") for name in ("customer", "email", "search")),  # of orders: for staff alone
    ("quantity", "max_value"),  # together with the quantity in the cart
    ("rate", "max_value"),  # a percentage above 100, which has three digits too
    ("created_after", "invalid"),  # a leap second, or more digits of a second than databases store
    ("updated_after", "invalid"),
    ("min_rating", "invalid"),  # a number with an exponent
    ("max_rating", "invalid"),
    ("slug", "invalid"),  # letters of any script, on which the patterns of languages differ
    ("repeat_password", "mismatch"),
    ("old_password", "invalid"),
}


def field_of(error: dict[str, str | None]) -> str | None:
    """The name of the field, without its place in a list."""
    return (error["field"] or "").rpartition(".")[2] or None


@schemathesis.check
def valid_data_is_refused_for_a_reason(
    ctx: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case
) -> None:
    """A request that is valid by the document may be rejected only because of the state of the shop."""
    if not case.meta or not case.meta.generation.mode.is_positive or not 400 <= response.status_code < 500:
        return
    if "json" not in response.headers.get("content-type", [""])[0]:
        return  # a page, for a browser
    problem = response.json()
    if problem["type"] == "/problems/validation-error":
        unexplained = [
            error
            for error in problem["errors"]
            if not {(field_of(error), error["code"]), (None, error["code"])} & REASONS
        ]
        assert not unexplained, f"is valid by the document and is rejected: {unexplained}"
    else:
        assert problem["type"] in STATES, f"is valid by the document and is rejected as {problem['type']}"


@schemathesis.check
def what_was_deleted_is_gone(
    ctx: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case
) -> None:
    """After a DELETE the path is a 404 immediately."""
    if case.method.upper() != "DELETE" or response.status_code != 204:
        return
    bearer = response.request.headers.get("Authorization", "")
    again = requests.get(str(response.request.url), headers={"Authorization": bearer}, timeout=10)
    assert again.status_code == 404, f"deleted, and still answered with {again.status_code}"

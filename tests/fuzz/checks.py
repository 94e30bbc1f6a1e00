"""What Schemathesis does not check by itself."""

import requests
import schemathesis

# Why a request that fits the document may be refused all the same: for what is in the shop just now, or was made
# here and cannot be made up. Problem types; of a validation error the field, where it is one alone, and the code.
STATES = {
    "/problems/already-ordered",
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
    "/problems/precondition-failed",
}
REASONS = {
    (None, "unique"),
    (None, "does_not_exist"),
    *((None, f"password_{why}") for why in ("too_common", "too_similar", "entirely_numeric")),
    (None, "blank"),  # spaces and the like, which are trimmed
    ("image", "empty"),
    ("cursor", "invalid"),  # signed here
    ("offset", "invalid"),  # beside a cursor
    ("images", "invalid"),  # not those that the product has
    ("parent", "invalid"),  # below itself
    ("product", "immutable"),
    ("quantity", "max_value"),  # together with what the cart has
    ("slug", "invalid"),  # letters of any script, which no two languages' patterns agree about
    ("repeat_password", "mismatch"),
    ("old_password", "invalid"),
}


@schemathesis.check
def valid_data_is_refused_for_a_reason(
    ctx: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case
) -> None:
    """Of a request that fits the document, only what the shop holds may be the reason of a refusal."""
    if not case.meta or not case.meta.generation.mode.is_positive or not 400 <= response.status_code < 500:
        return
    if "json" not in response.headers.get("content-type", [""])[0]:
        return  # a page, for a browser
    problem = response.json()
    if problem["type"] == "/problems/validation-error":
        unexplained = [
            error
            for error in problem["errors"]
            if not {(error["field"], error["code"]), (None, error["code"])} & REASONS
        ]
        assert not unexplained, f"fits the document and is refused: {unexplained}"
    else:
        assert problem["type"] in STATES, f"fits the document and is refused as {problem['type']}"


@schemathesis.check
def what_was_deleted_is_gone(
    ctx: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case
) -> None:
    """Its path is a 404 at once, for whoever deleted it."""
    if case.method.upper() != "DELETE" or response.status_code != 204:
        return
    bearer = response.request.headers.get("Authorization", "")
    again = requests.get(str(response.request.url), headers={"Authorization": bearer}, timeout=10)
    assert again.status_code == 404, f"deleted, and still answered with {again.status_code}"

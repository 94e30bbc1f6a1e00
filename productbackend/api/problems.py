"""Every error that the API answers: RFC 9457, from one table."""

import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from productbackend.errors import DomainError

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True)
class Problem:
    """A kind of error: its status, its title, and what to do about it."""

    status: int
    title: str
    meaning: str
    remedy: str


PROBLEMS = {
    "validation-error": Problem(
        400,
        "The request has invalid values",
        "`errors` names each field that does not fit, with a code and a sentence; a `field` of null means the whole.",
        "Mend the fields named and send the request again.",
    ),
    "malformed": Problem(
        400,
        "The request cannot be read",
        "The body is not what its Content-Type says, or the request breaks the protocol.",
        "Send valid JSON in UTF-8, or well-formed multipart where files go in.",
    ),
    "invalid-image": Problem(
        400,
        "The file is not a picture that the shop takes",
        "The content, whatever its name, is not JPEG, PNG, WebP, GIF or AVIF, or is broken, or has too many pixels.",
        "Send a picture in one of these formats, within the limits.",
    ),
    "invalid-token": Problem(
        400,
        "The link is no longer good",
        "The token of a mail was used, has expired, or was never made here.",
        "Ask for a new mail.",
    ),
    "not-authenticated": Problem(
        401,
        "Authentication is needed",
        "There is no access token, or it is invalid, expired or revoked.",
        "Send `Authorization: Bearer <access token>`; get one at /token/ or /token/refresh/.",
    ),
    "forbidden": Problem(
        403,
        "This account may not do that",
        "The account is known but lacks the permission.",
        "Ask the shop's administrator for the permission.",
    ),
    "not-found": Problem(
        404,
        "Nothing is here",
        "The path or the object does not exist, or is another customer's.",
        "Check the path; every path ends in a slash.",
    ),
    "method-not-allowed": Problem(
        405,
        "The method is not allowed here",
        "The path exists but does not take this method.",
        "See the `Allow` header for those that it takes.",
    ),
    "not-acceptable": Problem(
        406,
        "No such representation",
        "The `Accept` header names no media type that is served here.",
        "Ask for application/json.",
    ),
    "in-use": Problem(
        409,
        "Something else needs it",
        "A category with products or child categories cannot be deleted.",
        "Move or delete these first.",
    ),
    "insufficient-stock": Problem(
        409,
        "There is not enough in stock",
        "`shortages` names each product with what was requested and what is available. Nothing was changed.",
        "Lower the quantities, or remove the items, and try again.",
    ),
    "empty-cart": Problem(
        409,
        "The cart is empty",
        "A cart without items cannot be checked out.",
        "Add an item first.",
    ),
    "already-ordered": Problem(
        409,
        "The cart has already become an order",
        "`order` is the number of the order that was made from it.",
        "Read /orders/{order}/.",
    ),
    "order-state": Problem(
        409,
        "The order's status does not allow that",
        "A fulfilled order is not cancelled, and a cancelled one not fulfilled.",
        "Read the order to see its status.",
    ),
    "precondition-failed": Problem(
        412,
        "It has changed since you read it",
        "The `If-Match` header does not match the current ETag. After a checkout `cart` is the cart as it is now.",
        "Read it again, decide anew, and send the new ETag.",
    ),
    "too-large": Problem(
        413,
        "The body is too large",
        "JSON may have 1 MB; a picture IMAGE_MAX_BYTES.",
        "Send less.",
    ),
    "unsupported-media-type": Problem(
        415,
        "The body's media type is not taken here",
        "The `Content-Type` header names a type that this path does not read.",
        "Send application/json, or multipart/form-data where files go in.",
    ),
    "idempotency-key-reused": Problem(
        422,
        "The idempotency key belongs to another request",
        "The same `Idempotency-Key` came with another method, path or body before.",
        "Make a new key for each new request; repeat a request unchanged to get its answer again.",
    ),
    "throttled": Problem(
        429,
        "Too many requests",
        "This address or account has asked too often.",
        "Wait as many seconds as `Retry-After` says.",
    ),
    "internal-error": Problem(
        500,
        "Something went wrong here",
        "The fault is the server's. It has been logged under the response's X-Request-ID.",
        "Try again later; if it stays, tell the shop the request id.",
    ),
    "unavailable": Problem(
        503,
        "The service cannot answer just now",
        "The database does not answer, or the store of files.",
        "Try again after the seconds that `Retry-After` says.",
    ),
}

# The status and the class of a DRF exception tell the row of the table.
BY_EXCEPTION: dict[type[exceptions.APIException], str] = {
    exceptions.ParseError: "malformed",
    exceptions.NotAuthenticated: "not-authenticated",
    exceptions.AuthenticationFailed: "not-authenticated",
    exceptions.PermissionDenied: "forbidden",
    exceptions.NotFound: "not-found",
    exceptions.MethodNotAllowed: "method-not-allowed",
    exceptions.NotAcceptable: "not-acceptable",
    exceptions.UnsupportedMediaType: "unsupported-media-type",
    exceptions.Throttled: "throttled",
}

# The database is away, restarting, full of connections, or too busy to give a lock.
UNAVAILABLE_CODES = {1040, 1053, 1205, 1213, 1290, 1927, 2002, 2003, 2005, 2006, 2013, 2026, 2055, 3024, 4031}
UNAVAILABLE_TEXT = re.compile("database is locked|unable to open database|disk I/O error")
RETRY_AFTER = "5"
BEARER = 'Bearer realm="api"'


def problem_body(code: str, detail: str, **extra: Any) -> dict[str, Any]:
    """The members of a problem document."""
    problem = PROBLEMS[code]
    return {"type": f"/problems/{code}", "title": problem.title, "status": problem.status, "detail": detail, **extra}


class ProblemResponse(Response):
    """A problem document where JSON is rendered; in the browsable page it keeps that page's type."""

    def __init__(self, code: str, detail: str, headers: dict[str, str] | None = None, **extra: Any) -> None:
        body = problem_body(code, detail, **extra)
        super().__init__(body, status=body["status"], headers=headers)

    @property
    def rendered_content(self) -> Any:
        if self.accepted_renderer.format == "json":
            self.content_type = MEDIA_TYPE
        return super().rendered_content


def flatten(detail: Any, path: tuple[str, ...] = ()) -> Iterable[dict[str, Any]]:
    """DRF's nested error details as `{"field", "code", "detail"}`, nested fields joined by dots."""
    if isinstance(detail, dict):
        for key, value in detail.items():
            yield from flatten(value, path if key == "null" else (*path, str(key)))
    elif isinstance(detail, list):
        for index, value in enumerate(detail):
            yield from flatten(value, (*path, str(index)) if isinstance(value, dict) and value else path)
    else:
        code = getattr(detail, "code", None) or "invalid"
        yield {"field": ".".join(path) or None, "code": code, "detail": str(detail)}


def validation_problem(detail: Any) -> ProblemResponse:
    errors = list(flatten(detail))
    return ProblemResponse("validation-error", _summary(errors), errors=errors)


def _summary(errors: list[dict[str, Any]]) -> str:
    if len(errors) == 1:
        field = errors[0]["field"]
        return f"{field}: {errors[0]['detail']}" if field else errors[0]["detail"]
    return f"{len(errors)} values do not fit; see errors."


def database_is_unavailable(error: BaseException) -> bool:
    if isinstance(error, InterfaceError):
        return True
    code = error.args[0] if error.args else None
    return isinstance(error, OperationalError) and (
        code in UNAVAILABLE_CODES or bool(UNAVAILABLE_TEXT.search(str(error)))
    )


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """What DRF calls for an exception of a view. None lets it become a 500."""
    response = _response_to(error)
    if response is not None:
        set_rollback()
    return response


def _response_to(error: Exception) -> ProblemResponse | None:
    match error:
        case DomainError():
            headers = {401: {"WWW-Authenticate": BEARER}, 503: {"Retry-After": RETRY_AFTER}}
            return ProblemResponse(error.code, error.detail, headers.get(PROBLEMS[error.code].status), **error.extra)
        case exceptions.ValidationError():
            return validation_problem(error.detail)
        case DjangoValidationError():
            return validation_problem(
                exceptions.ValidationError(
                    error.message_dict if hasattr(error, "error_dict") else error.messages
                ).detail
            )
        case RequestDataTooBig():
            return ProblemResponse("too-large", "The body is too large.")
        case Http404():
            return ProblemResponse("not-found", "There is no such object.")
        case PermissionDenied():
            return ProblemResponse("forbidden", "This account may not do that.")
        case OperationalError() | InterfaceError() if database_is_unavailable(error):
            logger.warning("The database does not answer: %s", error)
            return ProblemResponse("unavailable", "The database does not answer.", {"Retry-After": RETRY_AFTER})
        case exceptions.APIException():
            return _response_to_api_exception(error)
    return None


def _response_to_api_exception(error: exceptions.APIException) -> ProblemResponse | None:
    code = next((code for kind, code in BY_EXCEPTION.items() if isinstance(error, kind)), None)
    if code is None:
        return None
    headers: dict[str, str] = {}
    if auth_header := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = auth_header
    if (wait := getattr(error, "wait", None)) is not None:
        headers["Retry-After"] = str(int(wait) + 1)
    return ProblemResponse(code, _text(error.detail), headers)


def _text(detail: Any) -> str:
    """The sentence in a detail; simplejwt's is a dict."""
    if isinstance(detail, dict):
        return _text(detail.get("detail", next(iter(detail.values()), "")))
    if isinstance(detail, list):
        return " ".join(_text(item) for item in detail)
    return str(detail)


# --- Outside of DRF: Django's own handlers, named in urls.py -----------------------------------


def problem_page(request: HttpRequest, code: str, detail: str, headers: dict[str, str] | None = None) -> HttpResponse:
    """A problem for a request that reached no view of the API: JSON, or a page where that is preferred."""
    body = problem_body(code, detail)
    response: HttpResponse
    if prefers_html(request):
        response = render(request, "problem.html", {"problem": body}, status=body["status"])
    else:
        response = JsonResponse(body, status=body["status"], content_type=MEDIA_TYPE)
    for name, value in (headers or {}).items():
        response[name] = value
    return response


def prefers_html(request: HttpRequest) -> bool:
    return request.get_preferred_type(["application/json", "text/html"]) == "text/html"


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return problem_page(request, "not-found", "There is no such path.")


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return problem_page(request, "forbidden", "This account may not do that.")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return problem_page(request, "forbidden", "The CSRF token is missing or wrong: load the page again.")


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    if isinstance(exception, RequestDataTooBig):
        return problem_page(request, "too-large", "The body is too large.")
    detail = (
        "The request breaks the protocol."
        if isinstance(exception, SuspiciousOperation)
        else "The request cannot be read."
    )
    return problem_page(request, "malformed", detail)


def server_error(request: HttpRequest) -> HttpResponse:
    return problem_page(request, "internal-error", "Something went wrong. It has been logged under this X-Request-ID.")


def unavailable(request: HttpRequest, detail: str = "The database does not answer.") -> HttpResponse:
    return problem_page(request, "unavailable", detail, {"Retry-After": RETRY_AFTER})

"""Problem documents (RFC 9457): translates exceptions into responses of the types in problem_types.py."""

import errno
import logging
import re
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.core.exceptions import (
    DisallowedHost,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import DatabaseError, IntegrityError, InterfaceError, InternalError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import render
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from productbackend.api import integrity
from productbackend.api.problem_types import PROBLEMS
from productbackend.database import error_codes
from productbackend.errors import DomainError, Throttled

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"


# The class of a DRF exception -> the problem type.
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

# Of SQLite: the database is unreachable, or could not grant a lock in time.
UNAVAILABLE_TEXT = re.compile("database is locked|unable to open database|disk I/O error|interrupted")
TOO_SLOW = {*error_codes.TOO_SLOW, "interrupted"}  # the last is SQLite's
# The database is reachable but refuses writes. 3, 1026 and 1030 include the system's error number in their text.
NO_WRITES_TEXT = re.compile(
    r"database or disk is full|attempt to write a readonly database|(?:errno|Errcode|error)[: ]+(?:28|30|122)\b"
)
NO_WRITES = "The database takes no writes just now: its disk is full, or it is read-only."
DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}
RETRY_AFTER = "5"
ACCEPT_MAX = 1_000  # characters; a longer header is ignored
BEARER = 'Bearer realm="api"'


def problem_body(code: str, detail: str, **extra: Any) -> dict[str, Any]:
    """The members of a problem document."""
    problem = PROBLEMS[code]
    return {"type": f"/problems/{code}", "title": problem.title, "status": problem.status, "detail": detail, **extra}


class ProblemResponse(Response):
    """A problem document: application/problem+json from the JSON renderer, text/html in the browsable API."""

    def __init__(self, code: str, detail: str, headers: dict[str, str] | None = None, **extra: Any) -> None:
        body = problem_body(code, detail, **extra)
        super().__init__(body, status=body["status"], headers=headers)

    @property
    def rendered_content(self) -> Any:
        if self.accepted_renderer.format == "json":
            self.content_type = MEDIA_TYPE
        return super().rendered_content


def flatten(detail: Any, path: tuple[str, ...] = ()) -> Iterable[dict[str, Any]]:
    """Flatten DRF's nested error details into `{"field", "code", "detail"}`, nested fields joined by dots."""
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
    return f"{len(errors)} values are invalid; see errors."


def database_is_unavailable(error: BaseException) -> bool:
    if isinstance(error, InterfaceError):
        return True
    code = error.args[0] if error.args else None
    return takes_no_writes(error) or (
        isinstance(error, OperationalError)
        and (code in error_codes.UNAVAILABLE or bool(UNAVAILABLE_TEXT.search(str(error))))
    )


def takes_no_writes(error: BaseException) -> bool:
    """Whether a reachable database refused a write."""
    code = error.args[0] if error.args else None
    return isinstance(error, OperationalError | InternalError) and (
        code in error_codes.NO_WRITES or bool(NO_WRITES_TEXT.search(str(error)))
    )


def unavailability_of(error: BaseException) -> str | None:
    """The detail of a 503 for an error that the database or the disk caused; None for other errors."""
    if isinstance(error, OSError) and error.errno in DISK_FULL:
        return "The disk of the service is full, or read-only."
    if isinstance(error, DatabaseError | InterfaceError) and database_is_unavailable(error):
        return NO_WRITES if takes_no_writes(error) else "The database does not answer."
    return None


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's hook for exceptions of views. Returns None if the exception becomes a 500."""
    response = _response_to(error)
    if response is not None:
        set_rollback()
    return response


def _response_to(error: Exception) -> ProblemResponse | None:
    match error:
        case IntegrityError() if translated := integrity.to_domain_error(error):
            logger.warning("A constraint refused a write: %s", error)
            return _response_to(translated)
        case DomainError():
            headers = {401: {"WWW-Authenticate": BEARER}, 503: {"Retry-After": RETRY_AFTER}}
            if isinstance(error, Throttled):
                headers[429] = {"Retry-After": str(error.retry_after)}
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
            return ProblemResponse("too-large", "The body is too large: its text may have 1 MB.")
        case TooManyFieldsSent():
            most = settings.DATA_UPLOAD_MAX_NUMBER_FIELDS
            return ProblemResponse("too-large", f"A form or a query may have {most} fields at most.")
        case TooManyFilesSent():
            most = settings.DATA_UPLOAD_MAX_NUMBER_FILES
            return ProblemResponse("too-large", f"A form may have {most} files at most.")
        case Http404():
            return ProblemResponse("not-found", "There is no such object.")
        case PermissionDenied():
            return ProblemResponse("forbidden", "This account may not do that.")
        case OperationalError() if error.args and error.args[0] in TOO_SLOW:
            logger.warning("A read took too long: %s", error)
            detail = "The read takes too long: narrow its filters, or order by one field."
            return ProblemResponse("unavailable", detail, {"Retry-After": RETRY_AFTER})
        case DatabaseError() | InterfaceError() | OSError() if why := unavailability_of(error):
            logger.warning("%s %s", why, error)
            return ProblemResponse("unavailable", why, {"Retry-After": RETRY_AFTER})
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
    """The text of an error detail; simplejwt's is a dict."""
    if isinstance(detail, dict):
        return _text(detail.get("detail", next(iter(detail.values()), "")))
    if isinstance(detail, list):
        return " ".join(_text(item) for item in detail)
    return str(detail)


# --- Outside of DRF: Django's own handlers, named in urls.py -----------------------------------


def problem_page(request: HttpRequest, code: str, detail: str, headers: dict[str, str] | None = None) -> HttpResponse:
    """A problem outside of DRF's views: JSON, or an HTML page if the client prefers HTML."""
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
    return (
        len(request.META.get("HTTP_ACCEPT", "")) <= ACCEPT_MAX
        and request.get_preferred_type(["application/json", "text/html"]) == "text/html"
    )


UNKNOWN_HOST = (
    "The Host header is not a host of this shop: use the shop's address. Operators list the hosts in the setting "
    "ALLOWED_HOSTS."
)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return problem_page(request, "not-found", "There is no such path.")


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return problem_page(request, "forbidden", "This account may not do that.")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return problem_page(request, "forbidden", "The CSRF token is missing or wrong: reload the page.")


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Django's handler400: translates the exceptions by which Django rejects a request."""
    match exception:
        case RequestDataTooBig():
            return problem_page(request, "too-large", "The body is too large: its text may have 1 MB.")
        case TooManyFieldsSent():
            most = settings.DATA_UPLOAD_MAX_NUMBER_FIELDS
            return problem_page(request, "too-large", f"A form or a query may have {most} fields at most.")
        case TooManyFilesSent():
            most = settings.DATA_UPLOAD_MAX_NUMBER_FILES
            return problem_page(request, "too-large", f"A form may have {most} files at most.")
        case DisallowedHost():
            return problem_page(request, "malformed", UNKNOWN_HOST)
        case MultiPartParserError():
            return problem_page(request, "malformed", f"The multipart body cannot be read: {str(exception)[:200]}.")
        case SuspiciousOperation():
            return problem_page(request, "malformed", "The request violates HTTP.")
    return problem_page(request, "malformed", "The request cannot be read.")


def server_error(request: HttpRequest) -> HttpResponse:
    return problem_page(request, "internal-error", "Something went wrong. It was logged under this X-Request-ID.")


def unavailable(request: HttpRequest, detail: str = "The database does not answer.") -> HttpResponse:
    return problem_page(request, "unavailable", detail, {"Retry-After": RETRY_AFTER})

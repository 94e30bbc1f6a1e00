"""The OpenAPI document: drf-spectacular's, with the problems that every operation may answer."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from productbackend.api.permissions import StaffWrites
from productbackend.api.problems import MEDIA_TYPE, PROBLEMS

PROBLEM = {"$ref": "#/components/schemas/Problem"}
VALIDATION_PROBLEM = {"$ref": "#/components/schemas/ValidationProblem"}

IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, description="An ETag: 412 when it has changed since."
)
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match", str, OpenApiParameter.HEADER, description="An ETag: 304 when it is still the same."
)
NOT_MODIFIED = OpenApiResponse(description="Not modified: what the ETag names is still the same.")


class BearerScheme(OpenApiAuthenticationExtension):
    """spectacular knows simplejwt's own class alone: a subclass of it drops Bearer from the document in silence."""

    target_class = "accounts.authentication.BearerAuthentication"
    name = "Bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "An access token of `/token/`. Paste the token alone; `Bearer` is put before it.",
        }


class Schema(AutoSchema):
    """Operations grouped by the first segment of their path; reading the catalogue needs no token."""

    def get_auth(self) -> list[dict[str, Any]]:
        schemes = super().get_auth()
        is_open = any(isinstance(permission, StaffWrites) for permission in self.view.get_permissions())
        return [*schemes, {}] if is_open and self.method == "GET" and {} not in schemes else schemes

    def get_tags(self) -> list[str]:
        return [self.path.strip("/").split("/")[0] or "root"]

    def get_filter_backends(self) -> list[Any]:
        # An operation that answers one object takes no filters, though its view has them.
        return super().get_filter_backends() if self._is_list_view() else []


# Fields that some readers see and others do not: `{component: names}`.
SOMETIMES = {"Image": {"original"}}


def add_problems(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """spectacular's post-processing hook: describe problem documents, and say which an operation may answer."""
    result.setdefault("components", {}).setdefault("schemas", {}).update(_components())
    for component, names in SOMETIMES.items():
        schema = result["components"]["schemas"][component]
        schema["required"] = [name for name in schema["required"] if name not in names]
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            as_page = any("text/html" in answer.get("content", {}) for answer in operation["responses"].values())
            for status in _statuses(path, method, operation):
                operation["responses"].setdefault(str(status), _response(status))
            for status, answer in operation["responses"].items():
                if status >= "400" and status != "503" and (content := answer.get("content")):
                    answer["content"] = _as_problem(content, as_page=as_page)
            operation["responses"] = dict(sorted(operation["responses"].items()))
    return result


def _as_problem(content: dict[str, Any], *, as_page: bool) -> dict[str, Any]:
    """Errors have a media type of their own; a path that serves pages shows them as pages too."""
    schema = next(iter(content.values()))
    return {MEDIA_TYPE: schema} | ({"text/html": {"schema": {"type": "string"}}} if as_page else {})


def problem(*codes: str) -> OpenApiResponse:
    """The documented answer for the problems `codes`, all of one status."""
    texts = [f"`/problems/{code}`: {PROBLEMS[code].title}." for code in codes]
    return OpenApiResponse(response=PROBLEM, description=" ".join(texts))


def _statuses(path: str, method: str, operation: dict[str, Any]) -> list[int]:
    statuses = [400, 401, 406, 500, 503]
    if method != "get" or {} not in operation.get("security", [{}]):
        statuses.append(403)
    if "{" in path:
        statuses.append(404)
    if method in ("post", "put", "patch"):
        statuses += [413, 415]
    return statuses


def _response(status: int) -> dict[str, Any]:
    codes = [code for code, row in PROBLEMS.items() if row.status == status]
    schema = {"anyOf": [VALIDATION_PROBLEM, PROBLEM]} if status == 400 else PROBLEM
    response: dict[str, Any] = {
        "description": " ".join(f"`/problems/{code}`: {PROBLEMS[code].title}." for code in codes),
        "content": {MEDIA_TYPE: {"schema": schema}},
    }
    if status in (429, 503):
        response["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds to wait."}}
    if status == 401:
        response["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}}}
    return response


def _components() -> dict[str, Any]:
    members = {
        "type": {"type": "string", "format": "uri-reference", "examples": ["/problems/insufficient-stock"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
    }
    error = {
        "type": "object",
        "required": ["field", "code", "detail"],
        "properties": {
            "field": {"type": ["string", "null"], "description": "Dotted where nested; null for the whole object."},
            "code": {"type": "string"},
            "detail": {"type": "string"},
        },
    }
    return {
        "Problem": {
            "type": "object",
            "description": "RFC 9457. `type` names a page that says what it means; some carry further members.",
            "required": list(members),
            "properties": members,
            "additionalProperties": True,
        },
        "ValidationProblem": {
            "type": "object",
            "required": [*members, "errors"],
            "properties": {**members, "errors": {"type": "array", "items": error}},
        },
    }

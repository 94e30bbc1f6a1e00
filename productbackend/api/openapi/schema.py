"""The schema class of views, and the parameters and responses that they share."""

from typing import Any

from drf_spectacular.drainage import get_override
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ComponentIdentity, ComponentRegistry, ResolvedComponent, is_patched_serializer
from drf_spectacular.utils import OpenApiParameter, PolymorphicProxySerializer
from rest_framework.serializers import DecimalField, ModelSerializer

from productbackend.api.fields import HelpText
from productbackend.api.filters import FilterSet
from productbackend.api.openapi import problems
from productbackend.api.openapi.patterns import ecmascript
from productbackend.api.permissions import StaffWrites
from productbackend.api.problem_types import PROBLEMS

IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, description="An ETag: 412 if the object has changed since."
)
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match", str, OpenApiParameter.HEADER, description="An ETag: 304 if the object has not changed since."
)
ETAGS = {"GET", "POST", "PUT", "PATCH"}
problem = problems.ProblemResponse

CHANGES = {"PUT", "PATCH", "DELETE"}
ID_PATTERN = "^[0-9]{1,18}$"  # of the router's paths
HEADERS = {
    "ETag": "Identifies this state for `If-None-Match` and `If-Match`.",
    "Location": "The URL of the new object.",
    "X-Request-ID": "The id that the request sent, or a generated one; logs include it.",
    "API-Version": "The version of this document that the service implements.",
    "WWW-Authenticate": "How to authenticate.",
    "Retry-After": "Seconds to wait.",
}
HEADER_SCHEMAS = {"Retry-After": {"type": "integer", "minimum": 0}}
REQUEST_ID = {
    "name": "X-Request-ID",
    "in": "header",
    "schema": {"type": "string"},
    "description": "An id of your own for this request, which responses and logs include: up to 128 of "
    "`A-Z a-z 0-9 . _ -`. Any other value is replaced by a generated id.",
}
# The default descriptions of responses.
PLAIN = {
    "200": "The current state.",
    "201": "Created.",
    "204": "Done.",
    "304": "Not modified: the ETag is still current.",
    "503": "The database is unreachable.",
}


class Schema(AutoSchema):
    """Describes operations with their problems and headers, and names components.

    A view has `tag`, if it is not the name of its app; `path_help`, the help texts of its path's parameters;
    `format_help`, that of the parameter `format`; and `etags`, the methods whose responses have an ETag. Its PUT, PATCH
    and DELETE then take If-Match. A serializer has `omits`, the fields that only some responses have.
    """

    def get_operation(
        self, path: str, path_regex: str, path_prefix: str, method: str, registry: ComponentRegistry
    ) -> dict[str, Any] | None:
        operation = super().get_operation(path, path_regex, path_prefix, method, registry)
        if operation is None:
            return None
        operation["parameters"] = [
            *map(self._complete_parameter, operation.get("parameters", [])),
            self._component(ResolvedComponent.PARAMETER, "X-Request-ID", REQUEST_ID),
        ]
        operation["responses"] = self._complete_responses(operation)
        # A token is accepted but not required: Swagger shows `{}` among other schemes as a closed lock.
        if {} in operation.get("security", []):
            operation["security"] = []
        return operation

    def _component(self, kind: str, name: str, schema: dict[str, Any]) -> dict[str, Any]:
        """Register a component, once, and return the reference to it."""
        component = ResolvedComponent(name=name, type=kind, schema=schema, object=name)
        self.registry.register_on_missing(component)
        return component.ref

    @property
    def etags(self) -> set[str]:
        return getattr(self.view, "etags", set())

    # --- Parameters ----------------------------------------------------------------------------

    def get_override_parameters(self) -> list[Any]:
        if self.method in self.etags & {"GET"}:
            return [IF_NONE_MATCH]
        return [IF_MATCH] if self.etags and self.method in CHANGES else []

    def _complete_parameter(self, parameter: dict[str, Any]) -> dict[str, Any]:
        if parameter["schema"].get("pattern") == ID_PATTERN:
            parameter["schema"] = {"type": "integer", "minimum": 0, "maximum": 10**18 - 1}
        if parameter["in"] == "path":
            text = getattr(self.view, "path_help", {"id": HelpText("The object's id.", 1)})[parameter["name"]]
            parameter |= {"description": str(text), "example": text.example}
        elif parameter["name"] == "format":
            parameter["description"] = getattr(self.view, "format_help", "`json`, or `html` for a page.")
        return parameter

    def get_filter_backends(self) -> list[Any]:
        # Only lists accept filters, though all operations of the view declare them.
        return super().get_filter_backends() if self._is_list_view() and self.method == "GET" else []

    def _get_filter_parameters(self) -> list[dict[str, Any]]:
        """Allow empty filters, as forms send them: they are ignored. Describe also those with a schema of their own."""
        parameters = super()._get_filter_parameters()
        filters = getattr(self.view, "filterset_class", FilterSet).base_filters
        return [
            each | {"allowEmptyValue": True, "description": filters[each["name"]].extra["help_text"]}
            for each in parameters
        ]

    def _get_pagination_parameters(self) -> list[Any]:
        parameters: list[Any] = super()._get_pagination_parameters()
        return parameters if self.method == "GET" else []

    # --- Requests and responses ----------------------------------------------------------------

    def _get_request_body(self, direction: Any = "request") -> Any:
        """Add a body to DELETE if the view has `delete_has_body`; spectacular supports none.

        One of several components is required; spectacular looks for required fields in the choice itself.
        """
        if self.method != "DELETE" or not getattr(self.view, "delete_has_body", False):
            body = super()._get_request_body(direction)
            is_choice = body and isinstance(self.get_request_serializer(), PolymorphicProxySerializer)
            return body | {"required": True} if is_choice else body
        self.method = "POST"
        try:
            return super()._get_request_body(direction)
        finally:
            self.method = "DELETE"

    def _complete_responses(self, operation: dict[str, Any]) -> dict[str, Any]:
        answers = operation["responses"]
        is_page = any("text/html" in answer.get("content", {}) for answer in answers.values())
        declared: Any = self.get_response_serializers()
        for status, given in declared.items() if isinstance(declared, dict) else ():
            if isinstance(given, problems.ProblemResponse):
                answers[str(status)] = self._problem(given.codes, is_page=is_page)
        if self.method in self.etags & {"GET"}:
            answers["304"] = {}
        if self.etags and self.method in CHANGES:
            answers["412"] = self._problem(["precondition-failed"], is_page=is_page)
        for status, answer in answers.items():
            if answer.get("description", "") in ("", "No response body"):
                answer["description"] = PLAIN[status]
            names = {"X-Request-ID", "API-Version"}
            names |= {"ETag"} if self.method in self.etags and status in ("200", "201", "304") else set()
            names |= {"Location"} if status in ("201", "308") else set()
            answer["headers"] = self._headers(names) | answer.get("headers", {})
        for code in self._common_statuses(operation):
            name, codes = problems.COMMON[code]
            if str(code) not in answers:
                answer = self._problem(codes, is_page=is_page)
                answers[str(code)] = answer if is_page else self._component(ResolvedComponent.RESPONSE, name, answer)
        return dict(sorted(answers.items()))

    def _common_statuses(self, operation: dict[str, Any]) -> list[int]:
        statuses = [400, 401, 406, 500, 503]
        if self.method != "GET" or {} not in operation.get("security", [{}]):
            statuses.append(403)
        if "{" in self.path:
            statuses.append(404)
        if self.method in ("POST", "PUT", "PATCH"):
            statuses += [413, 415]
        return statuses

    def _problem(self, codes: list[str], *, is_page: bool) -> dict[str, Any]:
        status = PROBLEMS[codes[0]].status
        names = {"X-Request-ID", "API-Version"}
        names |= {"Retry-After"} if status in (429, 503) else {"WWW-Authenticate"} if status == 401 else set()
        return problems.response(codes, self._reference, is_page=is_page) | {"headers": self._headers(names)}

    def _reference(self, serializer: Any) -> dict[str, Any]:
        component = self.resolve_serializer(serializer, "response")
        component.schema["additionalProperties"] = True
        return component.ref

    def _headers(self, names: set[str]) -> dict[str, Any]:
        """References to the components of the headers `names`."""
        found = {}
        for name in sorted(names):
            header = {"required": True, "description": HEADERS[name]}
            header["schema"] = HEADER_SCHEMAS.get(name, {"type": "string"})
            found[name] = self._component(ResolvedComponent.HEADER, name, header)
        return found

    # --- Names ---------------------------------------------------------------------------------

    def get_auth(self) -> list[dict[str, Any]]:
        """Mark reading the catalogue as public, and drop the schemes that the view does not allow.

        An authentication class has `allowed_by`, if it takes effect on views with that attribute alone.
        """
        dropped = {
            scheme.name
            for each in self.view.get_authenticators()
            if hasattr(each, "allowed_by") and not getattr(self.view, each.allowed_by, False)
            if (scheme := OpenApiAuthenticationExtension.get_match(each))
        }
        schemes = [scheme for scheme in super().get_auth() if dropped.isdisjoint(scheme)]
        is_open = any(isinstance(permission, StaffWrites) for permission in self.view.get_permissions())
        return [*schemes, {}] if is_open and self.method == "GET" and {} not in schemes else schemes

    def get_tags(self) -> list[str]:
        return [getattr(self.view, "tag", type(self.view).__module__.partition(".")[0])]

    def get_operation_id(self) -> str:
        """Name an action of a viewset by its path alone; spectacular appends `_create`."""
        name = super().get_operation_id()
        action = getattr(self.view, "action", "")
        standard = {"list", "create", "retrieve", "update", "partial_update", "destroy"}
        return name.rpartition("_")[0] if action and action not in standard else name

    def get_paginated_name(self, serializer_name: str) -> str:
        return f"{serializer_name}List"

    def _get_serializer_name(self, serializer: Any, direction: Any, bypass_extensions: bool = False) -> str:
        """Name the component `Thing`, in requests `ThingWrite` and `ThingPatch`, for generated clients.

        A serializer that is no ModelSerializer is for requests or for responses only, and needs no `Write`, unless it
        has `is_for_both`. One with a `component_name` has this name always.
        """
        if isinstance(serializer, PolymorphicProxySerializer):
            return serializer.component_name
        serializer = getattr(serializer, "child", serializer)
        name = self.get_serializer_name(serializer, direction).removesuffix("Serializer")
        own = get_override(serializer, "component_name")
        if own or direction == "response":
            return own or name
        if is_patched_serializer(serializer, direction):
            return f"{name}Patch"
        is_for_both = isinstance(serializer, ModelSerializer) or getattr(serializer, "is_for_both", False)
        return f"{name}Write" if is_for_both else name

    def get_serializer_identity(self, serializer: Any, direction: Any) -> ComponentIdentity:
        """One name for different components is a warning, which fails the generation of the document."""
        if isinstance(serializer, PolymorphicProxySerializer):
            return ComponentIdentity((serializer.component_name, direction))
        return ComponentIdentity((type(serializer), direction, is_patched_serializer(serializer, direction)))

    # --- Components ----------------------------------------------------------------------------

    def _map_serializer(self, serializer: Any, direction: Any, bypass_extensions: bool = False) -> Any:
        """Require every field in responses, also those that a request may omit."""
        schema = super()._map_serializer(serializer, direction, bypass_extensions)
        if direction == "response" and "properties" in schema:
            omitted = getattr(serializer, "omits", ())
            schema["required"] = [name for name in schema["properties"] if name not in omitted]
        return schema

    def _map_serializer_field(self, field: Any, direction: Any, bypass_extensions: bool = False) -> Any:
        """Leave read-only fields out of requests, and so their components."""
        if direction == "request" and field.read_only and field.parent:
            return None
        return super()._map_serializer_field(field, direction, bypass_extensions)

    def _insert_field_validators(self, field: Any, schema: dict[str, Any]) -> None:
        """Add a field's `described_as` and its example, and translate patterns."""
        super()._insert_field_validators(field, schema)
        if isinstance(field, DecimalField) and "pattern" in schema:
            schema["pattern"] = schema["pattern"].replace(r"\d", "[0-9]")  # responses have ASCII digits only
        schema.update(getattr(field, "described_as", {}))
        if "pattern" in schema:
            schema["pattern"] = ecmascript(schema["pattern"])
        if isinstance(field.help_text, HelpText):
            schema["examples"] = [field.help_text.example]

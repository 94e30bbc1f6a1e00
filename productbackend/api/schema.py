"""What views say of themselves for the OpenAPI document; document.py makes the whole of it."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from productbackend.api.permissions import StaffWrites
from productbackend.api.problems import PROBLEMS
from productbackend.api.vocabulary import GROUPS

IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, description="An ETag: 412 when it has changed since."
)
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match", str, OpenApiParameter.HEADER, description="An ETag: 304 when it is still the same."
)
NOT_MODIFIED = OpenApiResponse(description="Not modified: what the ETag names is still the same.")
PROBLEM = {"$ref": "#/components/schemas/Problem"}


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
    """Operations in groups; reading the catalogue needs no token."""

    def get_auth(self) -> list[dict[str, Any]]:
        schemes = super().get_auth()
        is_open = any(isinstance(permission, StaffWrites) for permission in self.view.get_permissions())
        return [*schemes, {}] if is_open and self.method == "GET" and {} not in schemes else schemes

    def get_tags(self) -> list[str]:
        first = self.path.strip("/").split("/")[0]
        if "/images/" in self.path:
            return ["images"]
        return [next(name for name, group in GROUPS.items() if first in group.paths)]

    def get_operation_id(self) -> str:
        """`orders_cancel` for an action of a viewset, in place of spectacular's `orders_cancel_create`."""
        name = super().get_operation_id()
        action = getattr(self.view, "action", "")
        standard = {"list", "create", "retrieve", "update", "partial_update", "destroy"}
        return name.rpartition("_")[0] if action and action not in standard else name

    def _insert_field_validators(self, field: Any, schema: dict[str, Any]) -> None:
        """A field may say of itself what no validator of its own does: `described_as`."""
        super()._insert_field_validators(field, schema)
        schema.update(getattr(field, "described_as", {}))

    def _get_filter_parameters(self) -> list[dict[str, Any]]:
        """A filter that is left empty, as a form leaves it, is none."""
        return [parameter | {"allowEmptyValue": True} for parameter in super()._get_filter_parameters()]

    def get_filter_backends(self) -> list[Any]:
        # An operation that answers one object takes no filters, though its view has them.
        return super().get_filter_backends() if self._is_list_view() else []


def describe(codes: list[str]) -> str:
    """A response's description, from which document.py reads the problems again."""
    return " ".join(f"`/problems/{code}`: {PROBLEMS[code].title}." for code in codes)


def problem(*codes: str) -> OpenApiResponse:
    """The documented answer for the problems `codes`, all of one status."""
    return OpenApiResponse(response=PROBLEM, description=describe(list(codes)))

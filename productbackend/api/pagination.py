"""Pagination of lists over HTTP: the parameters of a page, its URLs and its response. See keyset.py.

A view's `ordering_fields` maps public names to columns; `ordering` is the default.
"""

from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from productbackend.api import cursors, keyset
from productbackend.api.keyset import BY_RANK, COUNT_MAX, Cursor, Page, Paging

LIMIT_DEFAULT, LIMIT_MAX = 20, 100
OFFSET_MAX = 10_000
PARAMETERS = dict.fromkeys(("limit", "ordering", "cursor", "offset"), False)  # none may be repeated


def parse(request: Request, fields: dict[str, str], default: str | None) -> Paging:
    """Parse the parameters of a page. Without `ordering` the order is `default`; None: by position, without keys.

    Raises ValidationError.
    """
    limit = integer_parameter(request, "limit", LIMIT_DEFAULT, 1, None)
    offset = integer_parameter(request, "offset", None, 0, OFFSET_MAX)
    cursor = _parse_cursor(request)
    if cursor is not None and offset is not None:
        raise ValidationError({"offset": ["Send a cursor or an offset, not both."]})
    ordering = request.query_params.get("ordering", default)
    keys = [] if ordering is None else parse_ordering(ordering, fields)
    if cursor is not None and cursor.get("o") != (keys or BY_RANK):
        raise ValidationError({"cursor": ["The cursor belongs to another ordering."]})
    return Paging(keys, min(limit, LIMIT_MAX), offset or 0, cursor)


def parse_ordering(raw: str, fields: dict[str, str]) -> list[str]:
    """Parse `?ordering=` into keys, with the id as tie-breaker in the direction of the last key."""
    signs: dict[str, str] = {}
    for term in map(str.strip, raw.split(",")):
        sign, name = ("-", term[1:]) if term.startswith("-") else ("", term)
        if name not in fields:
            detail = f"There is no ordering by {name!r}; use {', '.join(fields)}."
            raise ValidationError({"ordering": [detail]}, code="invalid_choice")
        signs.setdefault(fields[name], sign)
    signs.setdefault("id", list(signs.values())[-1])
    return [sign + column for column, sign in signs.items()]


def _parse_cursor(request: Request) -> Cursor | None:
    raw = request.query_params.get("cursor")
    if not raw:
        return None
    try:
        return cursors.decode(request.path, raw)
    except cursors.InvalidCursor:
        raise ValidationError(
            {"cursor": ["The cursor is invalid or of another list: follow `next` and `previous` unchanged."]}
        ) from None


def respond(request: Request, page: Page, results: Any, path: str = "") -> Response:
    """The response with a page; its list has the path `path`, or that of the request."""
    following, preceding = (_page_url(request, path or request.path, cursor) for cursor in page.edges)
    body = {"count": page.count, "count_is_exact": page.is_exact, "next": following, "previous": preceding}
    return Response({**body, **page.members, "results": results})


def _page_url(request: Request, path: str, cursor: Cursor | None) -> str | None:
    if cursor is None:
        return None
    given = {name: values for name, values in request.query_params.lists() if name != "offset"}
    query = urlencode(sorted((given | {"cursor": [cursors.encode(path, cursor)]}).items()), doseq=True)
    return f"{request.build_absolute_uri(path)}?{query}"


class KeysetPagination(BasePagination):
    """Pages of a queryset."""

    def paginate_queryset(  # type: ignore[override]  # a plain list has no keys to seek by
        self, queryset: QuerySet[Any], request: Request, view: Any = None
    ) -> list[Any]:
        self.request, self.path = request, getattr(view, "list_path", "")
        paging = parse(request, view.ordering_fields, view.ordering)
        self.page = keyset.read(keyset.IndexOrder(queryset), paging)
        return self.page.rows

    def get_paginated_response(self, data: Any) -> Response:
        return respond(self.request, self.page, data, self.path)

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {
            "type": ["string", "null"],
            "format": "uri",
            "examples": ["https://shop.example/things/?cursor=eyJvIjpb"],
        }
        return {
            "type": "object",
            "required": ["count", "count_is_exact", "next", "previous", "results"],
            "properties": {
                "count": {"type": "integer", "description": f"Exact up to {COUNT_MAX:,}.", "examples": [42]},
                "count_is_exact": {"type": "boolean", "description": "false if there are more rows than `count`."},
                "next": link | {"description": "The URL of the next page, or null."},
                "previous": link | {"description": "The URL of the previous page, or null."},
                "results": schema | {"description": "The rows of the page."},
            },
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        names = list(getattr(view, "ordering_fields", {}))
        fields, choice = ", ".join(f"`{name}`" for name in names), "|".join(names)
        order = {"type": "string", "pattern": f"^-?({choice})(,-?({choice}))*$"}
        limit = {"type": "integer", "minimum": 1, "default": LIMIT_DEFAULT}
        offset = {"type": "integer", "minimum": 0, "maximum": OFFSET_MAX}
        parameters = {
            "limit": (limit, f"Rows per page; values above {LIMIT_MAX} mean {LIMIT_MAX}."),
            "ordering": (order, f"Comma-separated fields, each with `-` for descending: {fields}."),
            "cursor": ({"type": "string"}, "From `next` or `previous`; bound to its list and its ordering."),
            "offset": (offset, "Rows to skip; beyond the maximum follow `next`."),
        }
        return [
            {"name": name, "in": "query", "required": False, "schema": schema, "description": description}
            for name, (schema, description) in parameters.items()
        ]


def integer_parameter(request: Request, name: str, default: Any, minimum: int, maximum: int | None) -> Any:
    """Parse the query parameter `name` as an integer. Raises ValidationError if it is no integer within the bounds."""
    raw = request.query_params.get(name)
    if raw is None:
        return default
    # int() rejects thousands of digits; all numbers of more than 18 digits are out of bounds anyway.
    value = (int(raw) if len(raw) <= 18 else 10**18) if raw.isascii() and raw.isdigit() else -1
    if value < minimum:
        raise ValidationError({name: [f"It takes a whole number from {minimum}."]})
    if maximum is not None and value > maximum:
        raise ValidationError({name: [f"At most {maximum}; follow `next` from there."]}, code="max_value")
    return value

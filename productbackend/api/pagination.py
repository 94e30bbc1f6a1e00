"""Lists: keyset pages over a stable order, with a bounded count.

A view names its order: `ordering_fields` maps public names to columns, `ordering` is the default.
A cursor holds the values of the row at a page's edge and the order that it belongs to, signed.
"""

import json
from typing import Any
from urllib.parse import urlencode

from django.core import signing
from django.db.models import QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from productbackend.api.filters import refuse_repeated
from productbackend.api.keyset import Key, beyond, bounded_count, in_order, read

LIMIT_DEFAULT, LIMIT_MAX = 20, 100
OFFSET_MAX = 10_000
COUNT_MAX = 1_000
RANKED_MAX = 1_000
PARAMETERS = ("limit", "ordering", "cursor", "offset")
CURSOR_SALT = "productbackend.cursor"


class JSONSerializer:
    """How a cursor's values are written: those of columns, as JSON."""

    def dumps(self, obj: Any) -> bytes:
        # str() and not Django's encoder, which cuts a time down to milliseconds: rows would come twice.
        return json.dumps(obj, default=str, separators=(",", ":")).encode()

    def loads(self, data: bytes) -> Any:
        return json.loads(data)


def write_cursor(cursor: dict[str, Any]) -> str:
    """Signed without the time: the same page has the same links, and so the same tag."""
    return signing.Signer(salt=CURSOR_SALT).sign_object(cursor, serializer=JSONSerializer)


def parse_ordering(raw: str, fields: dict[str, str]) -> list[Key]:
    """The columns named in `?ordering=`, ended by the id in the last one's direction."""
    keys: list[Key] = []
    for term in raw.split(","):
        name = term.strip().removeprefix("-")
        if name not in fields:
            known = ", ".join(fields)
            raise ValidationError(
                {"ordering": [f"There is no ordering by {name!r}; there is {known}."]}, code="invalid_choice"
            )
        if fields[name] not in [key.column for key in keys]:
            keys.append(Key(fields[name], term.strip().startswith("-")))
    if keys[-1].column != "id" and "id" not in [key.column for key in keys]:
        keys.append(Key("id", keys[-1].descending))
    return keys


class KeysetPagination(BasePagination):
    """Reads `limit`, `ordering`, `cursor` and `offset`; writes count, next, previous and results."""

    def paginate_queryset(  # type: ignore[override]  # a plain list has no keys to seek by
        self, queryset: QuerySet[Any], request: Request, view: Any = None
    ) -> list[Any]:
        self.request = request
        refuse_repeated(request, PARAMETERS)
        self.limit = whole_number(request, "limit", LIMIT_DEFAULT, 1, None)
        self.limit = min(self.limit, LIMIT_MAX)
        offset = whole_number(request, "offset", None, 0, OFFSET_MAX)
        raw_ordering = request.query_params.get("ordering")
        cursor = self.read_cursor(request)
        if cursor is not None and offset is not None:
            raise ValidationError({"offset": ["Send a cursor or an offset, not both."]})
        if raw_ordering is None and getattr(view, "is_ranked", False):
            return self.ranked_page(queryset, offset, cursor, view.get_queryset())
        ordering = raw_ordering if raw_ordering is not None else view.ordering
        self.keys = parse_ordering(ordering, view.ordering_fields)
        rows = self.keyset_page(queryset, offset, cursor)
        is_whole = cursor is None and not offset and self.next is None
        self.note_count(len(rows) if is_whole else bounded_count(queryset, COUNT_MAX + 1))
        return rows

    def note_count(self, found: int) -> None:
        self.count, self.count_is_exact = min(found, COUNT_MAX), found <= COUNT_MAX

    def keyset_page(self, queryset: QuerySet[Any], offset: int | None, cursor: dict[str, Any] | None) -> list[Any]:
        terms = [key.term for key in self.keys]
        if cursor is not None and cursor.get("o") != terms:
            raise ValidationError({"cursor": ["The cursor belongs to another ordering."]})
        backwards = cursor is not None and cursor["d"] == "p"
        keys = [key.reversed for key in self.keys] if backwards else self.keys
        if cursor is not None:
            queryset = queryset.filter(beyond(keys, cursor["v"]))
        start = offset or 0
        rows = read(queryset, keys, start, start + self.limit + 1)
        more = len(rows) > self.limit
        rows = rows[: self.limit]
        if backwards:
            rows.reverse()
        has_next = bool(rows) and (more or backwards)
        has_previous = bool(rows) and ((more if backwards else cursor is not None) or start > 0)
        self.next = self.link({"o": terms, "d": "n", "v": self.values(rows[-1])}) if has_next else None
        self.previous = self.link({"o": terms, "d": "p", "v": self.values(rows[0])}) if has_previous else None
        return rows

    def ranked_page(
        self, queryset: QuerySet[Any], offset: int | None, cursor: dict[str, Any] | None, everything: QuerySet[Any]
    ) -> list[Any]:
        """A page of search results, best first: by position, through the first 1,000.

        They are searched for once, for the page and its count; `everything` gives their rows.
        """
        if cursor is not None and cursor.get("o") != "rank":
            raise ValidationError({"cursor": ["The cursor belongs to another ordering."]})
        start = cursor["v"] if cursor is not None else offset or 0
        stop = min(start + self.limit, RANKED_MAX)
        ids = [pk for (pk,) in queryset.values_list("pk")[: max(RANKED_MAX, COUNT_MAX) + 1]]
        self.note_count(len(ids))
        more = stop < min(len(ids), RANKED_MAX)
        self.next = self.link({"o": "rank", "v": stop}) if more else None
        self.previous = self.link({"o": "rank", "v": max(start - self.limit, 0)}) if start > 0 else None
        return in_order(everything, ids[start:stop])

    def values(self, row: Any) -> list[Any]:
        return [getattr(row, key.column) for key in self.keys]

    def link(self, cursor: dict[str, Any]) -> str:
        given = {name: values for name, values in self.request.query_params.lists() if name != "offset"}
        query = urlencode(sorted((given | {"cursor": [write_cursor(cursor)]}).items()), doseq=True)
        return f"{self.request.build_absolute_uri(self.request.path)}?{query}"

    @staticmethod
    def read_cursor(request: Request) -> dict[str, Any] | None:
        raw = request.query_params.get("cursor")
        if not raw:
            return None
        try:
            return signing.Signer(salt=CURSOR_SALT).unsign_object(raw, serializer=JSONSerializer)
        except (signing.BadSignature, ValueError):
            raise ValidationError(
                {"cursor": ["The cursor is broken: follow `next` and `previous` as they are."]}
            ) from None

    def get_paginated_response(self, data: Any) -> Response:
        return Response(
            {
                "count": self.count,
                "count_is_exact": self.count_is_exact,
                "next": self.next,
                "previous": self.previous,
                "results": data,
            }
        )

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["count", "count_is_exact", "next", "previous", "results"],
            "properties": {
                "count": {"type": "integer", "description": f"Exact up to {COUNT_MAX:,}."},
                "count_is_exact": {"type": "boolean"},
                "next": link | {"description": "The URL of the next page."},
                "previous": link | {"description": "The URL of the page before."},
                "results": schema,
            },
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        names = list(getattr(view, "ordering_fields", {}))
        fields, choice = ", ".join(f"`{name}`" for name in names), "|".join(names)
        order = {"type": "string", "pattern": f"^-?({choice})(,-?({choice}))*$"}
        return [
            _parameter(
                "limit",
                {"type": "integer", "minimum": 1, "default": LIMIT_DEFAULT},
                f"Rows a page; above {LIMIT_MAX} means {LIMIT_MAX}.",
            ),
            _parameter("ordering", order, f"Comma-separated fields, each with `-` for descending: {fields}."),
            _parameter("cursor", {"type": "string"}, "From `next` or `previous`; bound to its ordering."),
            _parameter(
                "offset",
                {"type": "integer", "minimum": 0, "maximum": OFFSET_MAX},
                "Rows to skip; for more follow `next`.",
            ),
        ]


def _parameter(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": description}


def whole_number(request: Request, name: str, default: Any, least: int, most: int | None) -> Any:
    """The query parameter `name` as a whole number within bounds; a 400 for anything else."""
    raw = request.query_params.get(name)
    if raw is None:
        return default
    # Python reads no number of thousands of digits, and nobody needs to tell two such apart.
    value = (int(raw) if len(raw) <= 18 else 10**18) if raw.isascii() and raw.isdigit() else -1
    if value < least:
        raise ValidationError({name: [f"It takes a whole number from {least}."]})
    if most is not None and value > most:
        raise ValidationError({name: [f"At most {most}; follow `next` from there."]}, code="max_value")
    return value

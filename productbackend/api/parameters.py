"""Query parameters: one that the operation does not know, or that is repeated, is a validation error."""

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from django.http import QueryDict
from rest_framework.request import Request

from productbackend.api import pagination
from productbackend.errors import InvalidValue, InvalidValues

IGNORED = ("_", "utm_")  # the beginnings of names that any client may add, such as for statistics
NAME_MAX = 100  # characters of a name in an error
UNKNOWN_MAX = 20  # errors
COMPARED_MAX = 30  # characters of a name that are compared; known ones are shorter


def is_ignored(name: str) -> bool:
    return name.startswith(IGNORED)


def check(given: QueryDict, known: Mapping[str, bool]) -> None:
    """Check the names of a query. `known` says of each known name whether it may be repeated. Raises InvalidValues."""
    if errors := list(_errors(given, known)):
        raise InvalidValues(errors)


def _errors(given: QueryDict, known: Mapping[str, bool]) -> Iterator[InvalidValue]:
    unknown = [name for name in given if name not in known and not is_ignored(name)]
    for name in unknown[:UNKNOWN_MAX]:
        shown = name[:NAME_MAX]
        detail = f"There is no query parameter {shown!r} here; the nearest is {_nearest(name, known)!r}."
        yield InvalidValue(shown, "unknown_parameter", detail)
    for name, may_be_repeated in known.items():
        if not may_be_repeated and len(given.getlist(name)) > 1:
            yield InvalidValue(name, "repeated", f"{name} takes one value.")


def _nearest(name: str, known: Mapping[str, bool]) -> str:
    return difflib.get_close_matches(name[:COMPARED_MAX].lower(), known, n=1, cutoff=0)[0]


class KnownParameters:
    """A view that checks its query parameters, after authentication, permissions and throttles.

    Requests of a method that the view lacks, and OPTIONS, are not checked.
    """

    checks_parameters = True

    def parameters(self) -> dict[str, bool]:
        """The query parameters of this operation besides `format`, and whether each may be repeated."""
        if getattr(self, "action", None) != "list":
            return {}
        filterset_class = getattr(self, "filterset_class", None)
        return pagination.PARAMETERS | (filterset_class.parameters() if filterset_class else {})

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)  # type: ignore[misc]
        method = (request.method or "").lower()
        if self.checks_parameters and request.query_params and method != "options" and hasattr(self, method):
            check(request.query_params, self.parameters() | {"format": False})

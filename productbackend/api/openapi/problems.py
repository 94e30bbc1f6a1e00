"""Problem types in the OpenAPI document: their components, and the responses that have them.

Apps add the problem types that they raise: to `PROBLEMS`, and to `SERIALIZERS` if the type has members of its own.
"""

from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers

from productbackend.api.fields import HelpText
from productbackend.api.problem_types import PROBLEMS
from productbackend.api.problems import MEDIA_TYPE

# The problems that any operation may respond with, by status, with the name of the response.
COMMON = {
    400: ("BadRequest", ["validation-error", "malformed"]),
    401: ("Unauthorized", ["not-authenticated"]),
    403: ("Forbidden", ["forbidden"]),
    404: ("NotFound", ["not-found"]),
    406: ("NotAcceptable", ["not-acceptable"]),
    413: ("ContentTooLarge", ["too-large"]),
    415: ("UnsupportedMediaType", ["unsupported-media-type"]),
    500: ("InternalServerError", ["internal-error"]),
    503: ("ServiceUnavailable", ["unavailable"]),
}


class UriReferenceField(serializers.CharField):
    described_as = {"format": "uri-reference"}


class ProblemSerializer(serializers.Serializer):
    """RFC 9457: `type` is the URL of a page that explains it; some have further members."""

    type = UriReferenceField(
        help_text=HelpText("The problem type: the URL of a page that explains it.", "/problems/not-found")
    )
    title = serializers.CharField(help_text=HelpText("The title of the problem type.", "Nothing is here"))
    status = serializers.IntegerField(help_text=HelpText("The HTTP status.", 404))
    detail = serializers.CharField(help_text=HelpText("The details of this occurrence.", "There is no such object."))


class FieldErrorSerializer(serializers.Serializer):
    field = serializers.CharField(
        allow_null=True,
        help_text=HelpText("The field, with dots if nested (`items.0.quantity`); null for the whole object.", "price"),
    )
    code = serializers.CharField(help_text=HelpText("The error code.", "min_value"))
    detail = serializers.CharField(help_text=HelpText("The error as a sentence.", "It must be at least 0."))


class ValidationProblemSerializer(ProblemSerializer):
    """A 400 that lists each invalid value."""

    errors = FieldErrorSerializer(many=True, help_text="The invalid values.")  # type: ignore[assignment]


# The serializers of problem types with further members.
SERIALIZERS: dict[str, type[ProblemSerializer]] = {"validation-error": ValidationProblemSerializer}


class ProblemResponse(OpenApiResponse):
    """The documented response for the problem types `codes`, which have one status."""

    def __init__(self, *codes: str) -> None:
        super().__init__()
        self.codes = list(codes)


def describe(codes: list[str]) -> str:
    return " ".join(f"`/problems/{code}`: {PROBLEMS[code].title}." for code in codes)


def response(codes: list[str], reference: Callable[[Any], dict[str, Any]], *, is_page: bool = False) -> dict[str, Any]:
    """The response object for `codes`; `reference` returns the reference to a serializer's component."""
    wanted = [SERIALIZERS.get(code, ProblemSerializer) for code in codes]
    wanted.sort(key=lambda each: each is ProblemSerializer)  # the general one last
    schemas = [reference(serializer) for serializer in dict.fromkeys(wanted)]
    content: dict[str, Any] = {
        MEDIA_TYPE: {
            "schema": schemas[0] if len(schemas) == 1 else {"anyOf": schemas},
            "examples": {code: {"summary": PROBLEMS[code].meaning, "value": _example(code)} for code in codes},
        }
    }
    if is_page:  # such a path also shows errors as HTML pages
        content["text/html"] = {"schema": {"type": "string"}}
    return {"description": describe(codes), "content": content}


def _example(code: str) -> dict[str, Any]:
    row = PROBLEMS[code]
    members = _example_of(SERIALIZERS.get(code, ProblemSerializer)())
    return members | {"type": f"/problems/{code}", "title": row.title, "status": row.status, "detail": row.meaning}


def _example_of(serializer: Any) -> dict[str, Any]:
    """An example of the required fields."""
    fields: dict[str, Any] = {name: field for name, field in serializer.fields.items() if field.required}
    return {
        name: field.help_text.example if isinstance(field.help_text, HelpText) else [_example_of(field.child)]
        for name, field in fields.items()
    }

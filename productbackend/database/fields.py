"""Model fields that the apps share."""

import json
from typing import Any

from django.db import models

from productbackend.text.comparison import normalized, visible

KEY_LENGTH = 255  # of a casefolded name in a column: enough to order and find it
FOLD_MAX = 512  # characters: the longest key of a column has 450


def fold(text: str) -> str:
    """Casefold the first 512 characters of `text`, to compare them without case on every database alike.

    Drops invisible characters and collapses white space.
    """
    text = " ".join(visible(text[:FOLD_MAX]).split())
    return normalized("NFC", normalized("NFC", text).casefold())[:FOLD_MAX]


class BinaryCollationMixin:
    """A column that is compared by bytes on every database.

    MySQL's default collations treat "cafe" and "café" as equal; SQLite does not. Text that is
    unique, ordered, filtered or searched is therefore normalised in Python and stored in such a column.
    """

    def db_parameters(self, connection: Any) -> dict[str, str | None]:
        parameters: dict[str, str | None] = super().db_parameters(connection)  # type: ignore[misc]
        if connection.vendor == "mysql":
            parameters["collation"] = "utf8mb4_bin"  # in MySQL and MariaDB
        return parameters


def columns(row: models.Model) -> set[str]:
    """The names of all fields of `row` except its primary key."""
    return {field.name for field in row._meta.concrete_fields if not field.primary_key}


class KeyField(BinaryCollationMixin, models.CharField):
    """A key of bounded length."""


class KeyTextField(BinaryCollationMixin, models.TextField):
    """Normalised text of any length."""


class TextMapField(models.Field):
    """A dict of text to text, in its order, as JSON; an empty one is NULL. MySQL's JSON type would sort the keys."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs | {"null": True, "blank": True, "default": dict})

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        for fixed in ("null", "blank", "default"):
            kwargs.pop(fixed, None)
        return name, path, args, kwargs

    def get_internal_type(self) -> str:
        return "TextField"

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> dict[str, str]:
        return json.loads(value) if value else {}

    def to_python(self, value: Any) -> Any:
        return json.loads(value) if isinstance(value, str) and value else value or {}

    def get_prep_value(self, value: Any) -> str | None:
        value = super().get_prep_value(value)
        return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) and value else value or None

    def value_to_string(self, obj: models.Model) -> str:
        return self.get_prep_value(self.value_from_object(obj)) or ""

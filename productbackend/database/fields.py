"""Model fields that the apps share."""

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

"""Model fields that every app may use."""

import unicodedata
from typing import Any

from django.db import models

KEY_LENGTH = 255  # of a folded name in a column: as much as orders and finds it


def fold(text: str) -> str:
    """`text` as it is compared without case: the same on every database."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


class Bytewise:
    """Text that is compared byte by byte on every database.

    MySQL's default collations take "cafe" and "café" for the same; SQLite does not. Text that is
    unique, ordered, filtered or searched is therefore normalised by us and kept in such a column.
    """

    def db_parameters(self, connection: Any) -> dict[str, str | None]:
        parameters: dict[str, str | None] = super().db_parameters(connection)  # type: ignore[misc]
        if connection.vendor == "mysql":
            parameters["collation"] = "utf8mb4_bin"  # known to MySQL and MariaDB
        return parameters


class KeyField(Bytewise, models.CharField):
    """A key of bounded length."""


class KeyTextField(Bytewise, models.TextField):
    """Normalised text of any length."""

"""Translates integrity errors of the database into domain errors.

Domain functions check before they write. This handles the remaining race: another request wrote between the check
and the write.
"""

import re
from typing import Any

from django.apps import apps
from django.db import IntegrityError

from productbackend.errors import DomainError, InvalidValue

MYSQL_UNIQUE = {1062, 1169, 1586}
MYSQL_NO_PARENT = {1216, 1452}  # the row that a foreign key references does not exist
MYSQL_HAS_CHILDREN = {1217, 1451}
MYSQL_KEY = re.compile(r"for key '(?:[^'.]+\.)?([^'.]+)'")  # MySQL includes the table, MariaDB does not
MYSQL_FOREIGN_KEY = re.compile(r"FOREIGN KEY \(`([^`]+)`\)")
SQLITE_UNIQUE = "UNIQUE constraint failed: "
SQLITE_FOREIGN_KEY = "FOREIGN KEY constraint failed"  # names neither the key nor the side


def to_domain_error(error: IntegrityError) -> DomainError | None:
    """Return the DomainError for `error`; None if it is a fault of the service, such as a missing value."""
    code, text = (error.args[0], str(error.args[-1])) if error.args else (None, "")
    if code in MYSQL_UNIQUE:
        found = MYSQL_KEY.search(text)
        return _duplicate(_columns_of(found[1]) if found else [])
    if text.startswith(SQLITE_UNIQUE):
        return _duplicate([name.rpartition(".")[2] for name in text.removeprefix(SQLITE_UNIQUE).split(", ")])
    if code in MYSQL_NO_PARENT:
        found = MYSQL_FOREIGN_KEY.search(text)
        return InvalidValue(_field([found[1]] if found else []), "does_not_exist", "It was deleted by another request.")
    if code in MYSQL_HAS_CHILDREN or text == SQLITE_FOREIGN_KEY:
        return DomainError("in-use", "Another request changed an object that this one uses: read it and try again.")
    return None


def _duplicate(columns: list[str]) -> DomainError:
    return InvalidValue(_field(columns), "unique", "Another object has this value already.")


def _columns_of(key: str) -> list[str]:
    """The columns of a unique key: a constraint's fields, or the column that the key is named after."""
    for model in apps.get_models():
        for constraint in model._meta.constraints:
            if constraint.name == key:
                return list(getattr(constraint, "fields", ()))
    return [key]


def _field(columns: list[str]) -> str | None:
    """The field of a single editable column; None for several columns, or for a derived one."""
    if len(columns) != 1:
        return None
    fields: Any = (field for model in apps.get_models() for field in model._meta.concrete_fields)
    return next((field.name for field in fields if field.column == columns[0] and field.editable), None)

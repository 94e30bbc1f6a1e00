"""What a write changes: from which value to which. `recorded.py` sees the writes; an app above stores the changes."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cache, cached_property
from string import Formatter
from typing import Any

from django.db import models

from productbackend.observability.origin import Origin, origin

VALUE_MAX = 1_000  # characters of a value
NAME_MAX = 200
HIDDEN = "(not recorded)"

Values = Mapping[str, Any]
Pair = tuple[str | None, str | None]


class Action(StrEnum):
    CREATED = "created"
    CHANGED = "changed"
    DELETED = "deleted"


@dataclass(frozen=True)
class ObjectChange:
    """One write of one object: each changed field with its old and its new value, as text."""

    kind: str  # the model's label, such as `auth.group`
    object_id: int
    name: str  # at the time
    action: Action
    fields: dict[str, Pair]


@dataclass(frozen=True)
class Kind:
    """A model whose changes are recorded.

    `name` and the values of `many` are format strings of columns, such as `{name} {id}`. The values of `hidden`
    fields are not recorded, only that they changed. If `only_if` is not empty, creating and deleting an object is
    recorded only if one of these columns is true. `key` is a unique column, if there is one: some databases return no
    ids from a bulk INSERT.
    """

    model: type[models.Model]
    fields: tuple[str, ...]
    name: str
    hidden: tuple[str, ...] = ()
    many: Mapping[str, str] = field(default_factory=dict)
    only_if: tuple[str, ...] = ()
    key: str = ""

    @property
    def label(self) -> str:
        return self.model._meta.label_lower

    @property
    def columns(self) -> set[str]:
        """What is read of an object to record its creation or deletion."""
        return {*self.fields, *columns_of(self.name), *self.only_if}

    def among(self, names: Iterable[str] | None) -> list[str]:
        """The recorded fields among `names`, which may be those of columns; all of them if None."""
        given = None if names is None else set(names)
        return [name for name in self.fields if given is None or given & {name, self._attributes[name]}]

    @cached_property
    def _attributes(self) -> dict[str, str]:
        """The attributes of an instance that have the values of its columns: of a foreign key the id."""
        fields: Any = {name: self.model._meta.get_field(name) for name in self.columns if name != "pk"}
        return {name: getattr(field, "attname", name) for name, field in fields.items()} | {"pk": "pk"}

    def values(self, row: models.Model, names: Iterable[str] | None = None) -> dict[str, Any]:
        """The present values of an instance, of foreign keys the ids: of `names`, or all that are recorded."""
        columns = self.columns if names is None else {*names, *columns_of(self.name)}
        return {name: getattr(row, self._attributes[name]) for name in columns}

    def change(
        self, pk: int, action: Action, names: Iterable[str], before: Values, after: Values
    ) -> ObjectChange | None:
        """The change between two states of an object; None if there is none."""
        known = after if action is not Action.DELETED else before
        if action is not Action.CHANGED and self.only_if and not any(known.get(name) for name in self.only_if):
            return None
        pairs = {name: (self._text(name, before.get(name)), self._text(name, after.get(name))) for name in names}
        fields = {name: self._shown(name, *pair) for name, pair in pairs.items() if (pair[0] or "") != (pair[1] or "")}
        if action is Action.CHANGED and not fields:
            return None
        return ObjectChange(self.label, pk, formatted(self.name, known)[:NAME_MAX], action, fields)

    def _text(self, name: str, value: Any) -> str | None:
        column: Any = self.model._meta.get_field(name)
        if value is None or value == "":
            return value
        value = column.to_python(value)
        match value:
            case bool():
                return "true" if value else "false"
            case Decimal():
                return f"{value:.{column.decimal_places}f}"
            case date():
                return value.isoformat()
            case list():
                return ", ".join(map(str, value))
            case dict():
                return ", ".join(f"{name}: {text}" for name, text in value.items())
        return str(value)

    def _shown(self, name: str, before: str | None, after: str | None) -> Pair:
        if name in self.hidden:
            return (before and HIDDEN, after and HIDDEN)
        return (before and before[:VALUE_MAX], after and after[:VALUE_MAX])


KINDS: dict[type[models.Model], Kind] = {}
# Called in the transaction of the write, with everything that one statement changed. An app appends its own.
RECORDERS: list[Callable[[Sequence[ObjectChange], Origin], None]] = []

_is_off: ContextVar[bool] = ContextVar("unrecorded", default=False)


@contextmanager
def unrecorded() -> Iterator[None]:
    """Record nothing in this block: for rows that nobody changes, such as those of a new release or of the demo."""
    token = _is_off.set(True)
    try:
        yield
    finally:
        _is_off.reset(token)


def is_on() -> bool:
    return bool(RECORDERS) and not _is_off.get()


def record_many(found: Iterable[ObjectChange | None]) -> None:
    """Record changes in the caller's transaction, by one statement for some hundreds of them."""
    changes = [change for change in found if change is not None]
    if changes and is_on():
        for recorder in RECORDERS:
            recorder(changes, origin())


@cache
def columns_of(format: str) -> list[str]:
    return [name for _, name, _, _ in Formatter().parse(format) if name]


def formatted(format: str, values: Values) -> str:
    return format.format_map({name: values.get(name) for name in columns_of(format)})

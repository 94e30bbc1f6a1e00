"""Changes as staff read them: names instead of numbers, as far as what they name still exists."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db.models import Model
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from backoffice.history.models import Change
from productbackend.api.permissions import sees_all
from productbackend.database.changes import KINDS, Action

NOBODY = "–"
EMPTY = "(empty)"

Names = dict[tuple[type[Model], str], str]  # (model, id) -> name


@dataclass(frozen=True)
class Line:
    """A changed field. A value that there was not, of an object that was created or deleted, is None."""

    label: str
    before: str | None
    after: str | None

    def html(self, length: int | None = None) -> SafeString:
        """The line with both values, each cut to `length` characters."""
        before, after = (None if text is None else _cut(text, length) for text in (self.before, self.after))
        if before is None or after is None:
            value = format_html("<span>{}</span>", before if after is None else after)
        else:
            value = format_html("<del>{}</del> → <ins>{}</ins>", before, after)
        return format_html('<div class="changed-field" dir="auto"><b>{}</b> {}</div>\n', self.label, value)


@dataclass(frozen=True)
class Shown:
    """A change with the names that its numbers stand for."""

    change: Change
    kind: str
    name: str
    url: str  # of the object in the admin; empty if it was deleted then
    person: str
    lines: list[Line]

    def html(self, length: int | None = None) -> SafeString:
        return format_html_join("", "{}", ((line.html(length),) for line in self.lines))

    def described(self, length: int | None = None) -> SafeString:
        """The lines, after what was done to the object, if it was created or deleted."""
        if self.change.action == Action.CHANGED:
            return self.html(length)
        return format_html("<em>{}</em>\n{}", self.change.action, self.html(length))


def model_of(kind: str) -> type[Model] | None:
    """The model of a label; None if this release has it no more."""
    try:
        return apps.get_model(kind)
    except LookupError:
        return None


def kind_name(kind: str) -> str:
    model = model_of(kind)
    return str(model._meta.verbose_name) if model else kind


def visible_kinds(user: Any) -> list[str]:
    """The labels of the recorded models whose objects `user` may see, by their names."""
    return sorted((kind.label for kind in KINDS.values() if sees_all(user, kind.model)), key=kind_name)


def shown(changes: Sequence[Change]) -> list[Shown]:
    """The changes with names: by one query for accounts, and one for each other model that a field refers to."""
    names = _names(changes)
    return [_shown(change, names) for change in changes]


def _shown(change: Change, names: Names) -> Shown:
    user_model = get_user_model()
    name = change.object_name
    if change.kind == user_model._meta.label_lower:
        name = names.get((user_model, str(change.object_id)), name)
    person = NOBODY
    if change.user_id is not None:
        person = names.get((user_model, str(change.user_id)), f"account {change.user_id} (closed)")
    url = "" if change.action == Action.DELETED else _url(change)
    return Shown(change, kind_name(change.kind), name, url, person, _lines(change, names))


def _lines(change: Change, names: Names) -> list[Line]:
    lines = []
    for field, pair in sorted(change.fields.items()):  # MySQL has an order of its own
        target = _target(change.kind, field)
        before, after = (text if target is None or not text else _named(target, text, names) for text in pair)
        if change.action == Action.CHANGED and not field.endswith((" added", " removed")):
            before, after = before or EMPTY, after or EMPTY
        lines.append(Line(field.replace("_", " "), before, after))
    return lines


def _named(target: type[Model], pk: str, names: Names) -> str:
    name = names.get((target, pk))
    return f"{name} ({pk})" if name else f"{pk} (deleted)"


def _names(changes: Iterable[Change]) -> Names:
    """The present names of all objects that the changes refer to."""
    user_model = get_user_model()
    wanted: dict[type[Model], set[str]] = defaultdict(set)
    for change in changes:
        if change.user_id is not None:
            wanted[user_model].add(str(change.user_id))
        if change.kind == user_model._meta.label_lower:
            wanted[user_model].add(str(change.object_id))
        for field, pair in change.fields.items():
            if target := _target(change.kind, field):
                wanted[target].update(filter(None, pair))
    return {
        (model, str(row.pk)): str(row)
        for model, keys in wanted.items()
        for row in model._default_manager.filter(pk__in=keys)
    }


def _target(kind: str, field: str) -> type[Model] | None:
    """The model that a field refers to by an id; None if it is no foreign key."""
    model = model_of(kind)
    known = {each.name: each for each in model._meta.concrete_fields} if model else {}
    related: Any = known[field].related_model if field in known else None
    return related


def _url(change: Change) -> str:
    try:
        return reverse(f"admin:{change.kind.replace('.', '_')}_change", args=[change.object_id])
    except NoReverseMatch:
        return ""


def _cut(text: str, length: int | None) -> str:
    return text if length is None or len(text) <= length else f"{text[:length]}…"

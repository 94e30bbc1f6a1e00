"""Sees the writes of the models whose changes are recorded, whoever makes them: the API, the admin, a command, a shell.

Apps register their models with the fields to record. Signals see what is saved and deleted, and what is added to
many-to-many fields; `RecordedQuerySet` sees what is written without a signal.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any, TypeVar

from django.db import connections, models, router, transaction
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_save

from productbackend.database.changes import (
    KINDS,
    NAME_MAX,
    VALUE_MAX,
    Action,
    Kind,
    ObjectChange,
    columns_of,
    formatted,
    is_on,
    record_many,
)

M = TypeVar("M", bound=models.Model)

# In an instance's dict: its values when a caller had locked it, and those before the write that is under way.
WATCHED, BEFORE = "recorded_watched", "recorded_before"
# A removal is recorded before it happens, since afterwards nothing says what was there.
ADDED, REMOVED = ("post_add",), ("pre_remove", "pre_clear")


def register(kind: Kind) -> None:
    """Record the changes of a model from now on. Call it in `ready()`."""
    KINDS[kind.model] = kind
    pre_save.connect(will_save, sender=kind.model, dispatch_uid="recorded_before")
    post_save.connect(saved, sender=kind.model, dispatch_uid="recorded")
    post_delete.connect(deleted, sender=kind.model, dispatch_uid="recorded")
    for name in kind.many:
        through = getattr(kind.model, name).through
        m2m_changed.connect(members_receiver(kind, name), sender=through, weak=False, dispatch_uid="recorded")


def watch(row: models.Model) -> None:
    """Note the values of a row that the caller has locked. Without this, saving it reads them again."""
    if is_on():
        vars(row)[WATCHED] = KINDS[type(row)].values(row)


def overwritten(rows: Iterable[models.Model], fields: Collection[str]) -> None:
    """Record what the caller has written of rows that it watches, by a statement that sends no signals."""

    def changes() -> Iterator[ObjectChange | None]:
        names_of = cache(lambda model: KINDS[model].among(fields))
        for row in rows:
            if (before := vars(row).pop(WATCHED, None)) is not None:
                kind, names = KINDS[type(row)], names_of(type(row))
                yield kind.change(row.pk, Action.CHANGED, names, before, kind.values(row, names))

    record_many(changes())


def atomic(row: models.Model, update_fields: Iterable[str] | None) -> AbstractContextManager[None]:
    """A transaction if saving these fields of `row` may be recorded: Django sends its signals outside of save's own."""
    kind = KINDS.get(type(row))
    return transaction.atomic(savepoint=False) if kind and kind.among(update_fields) else nullcontext()


def will_save(sender: type[models.Model], instance: models.Model, raw: bool, using: str, **kwargs: Any) -> None:
    """Read what the row was, unless a caller watches it, and lock it if there is a transaction."""
    kind = KINDS[sender]
    if raw or not is_on() or instance._state.adding or not kind.among(kwargs.get("update_fields")):
        return
    before = vars(instance).pop(WATCHED, None)
    if before is None:
        rows = sender._base_manager.using(using).filter(pk=instance.pk)
        if transaction.get_connection(using).in_atomic_block:
            rows = rows.select_for_update()
        before = rows.values(*kind.columns).first()
    vars(instance)[BEFORE] = before or {}


def saved(sender: type[models.Model], instance: models.Model, created: bool, raw: bool, **kwargs: Any) -> None:
    kind = KINDS[sender]
    before = vars(instance).pop(BEFORE, {})
    if raw or not is_on() or not (created or before):
        return
    action = Action.CREATED if created else Action.CHANGED
    names = kind.among(None if created else kwargs.get("update_fields"))
    after = kind.values(instance, None if created else names)
    if any(hasattr(value, "resolve_expression") for value in after.values()):  # such as F("price") + 1
        after = sender._base_manager.using(kwargs["using"]).values(*after).get(pk=instance.pk)
    record_many([kind.change(instance.pk, action, names, {} if created else before, after)])


def deleted(sender: type[models.Model], instance: models.Model, **kwargs: Any) -> None:
    kind = KINDS[sender]
    record_many([kind.change(instance.pk, Action.DELETED, kind.fields, kind.values(instance), {})])


def members_receiver(kind: Kind, name: str) -> Callable[..., None]:
    """The receiver of `m2m_changed` for the field `name` of the models of `kind`."""

    def changed(action: str, instance: models.Model, reverse: bool, pk_set: set[int] | None, **kwargs: Any) -> None:
        if not is_on() or action not in ADDED + REMOVED:
            return
        others = _others(kind, name, instance, reverse=reverse, action=action, pk_set=pk_set)
        if reverse:  # such as group.user_set.add(user): `others` are the owners of the field
            owners, members = others, type(instance)._default_manager.filter(pk=instance.pk)
        else:
            owners, members = type(instance)._default_manager.filter(pk=instance.pk), others
        texts = sorted(_labels(members, kind.many[name]))
        if texts:
            record_many(_changes(kind, owners, name, ", ".join(texts)[:VALUE_MAX], is_added=action in ADDED))

    return changed


def _others(
    kind: Kind, name: str, instance: models.Model, *, reverse: bool, action: str, pk_set: set[int] | None
) -> "models.QuerySet[Any]":
    """The rows at the other side of the relation: those that were added, or those that will be removed."""
    field: Any = kind.model._meta.get_field(name)
    if action in ADDED:
        other = kind.model if reverse else field.related_model
        return other._default_manager.filter(pk__in=pk_set or ())
    present = getattr(instance, field.remote_field.get_accessor_name() if reverse else name)
    return present.all() if pk_set is None else present.filter(pk__in=pk_set)


def _labels(rows: "models.QuerySet[Any]", format: str) -> list[str]:
    return [formatted(format, values) for values in rows.values(*columns_of(format))]


def _changes(
    kind: Kind, owners: "models.QuerySet[Any]", name: str, text: str, *, is_added: bool
) -> Iterable[ObjectChange | None]:
    fields = {f"{name} added": (None, text)} if is_added else {f"{name} removed": (text, None)}
    for values in owners.values("pk", *columns_of(kind.name)):
        name_then = formatted(kind.name, values)[:NAME_MAX]
        yield ObjectChange(kind.label, values["pk"], name_then, Action.CHANGED, dict(fields))


class RecordedQuerySet(models.QuerySet[M]):
    """Records what `update`, `bulk_update` (which calls it) and `bulk_create` write."""

    def update(self, **fields: Any) -> int:
        kind = KINDS.get(self.model)
        names = kind.among(fields) if kind and is_on() else []
        if not kind or not names:
            return super().update(**fields)
        columns = {*names, *columns_of(kind.name)}
        with transaction.atomic(using=router.db_for_write(self.model), savepoint=False):
            locked = self.order_by("pk").select_for_update().values("pk", *columns)
            before = {row["pk"]: row for row in locked}
            rows = self.model._base_manager.filter(pk__in=before).values("pk", *columns)
            written = models.QuerySet.update(self.filter(pk__in=before), **fields)
            record_many(kind.change(row["pk"], Action.CHANGED, names, before[row["pk"]], row) for row in rows)
        return written

    def bulk_create(self, objs: Iterable[M], *args: Any, **kwargs: Any) -> list[M]:
        kind = KINDS.get(self.model)
        if not kind or not is_on():
            return super().bulk_create(objs, *args, **kwargs)
        alias = router.db_for_write(self.model)
        with transaction.atomic(using=alias, savepoint=False):
            if not kind.key and not connections[alias].features.can_return_rows_from_bulk_insert:
                rows = list(objs)
                for row in rows:
                    row.save(force_insert=True)  # which records it
                return rows
            rows = super().bulk_create(objs, *args, **kwargs)
            ids = self._ids(kind, [row for row in rows if row.pk is None])
            record_many(
                kind.change(ids.get(id(row), row.pk), Action.CREATED, kind.fields, {}, kind.values(row)) for row in rows
            )
        return rows

    def _ids(self, kind: Kind, rows: list[M]) -> dict[int, int]:
        """The primary keys of rows that were inserted, by the identities of their instances."""
        if not rows:
            return {}
        keys = {id(row): row.serializable_value(kind.key) for row in rows}
        stored = self.model._base_manager.filter(**{f"{kind.key}__in": keys.values()})
        ids = dict(stored.values_list(kind.key, "pk"))
        return {identity: ids[key] for identity, key in keys.items()}

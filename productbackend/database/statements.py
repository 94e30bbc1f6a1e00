"""Statements that Django compiles once, from a queryset or a model, and that run with new values each time.

Django needs longer to build and compile a small statement than the database needs to run it. The models stay the only
source of tables, columns and types. For paths that run often, such as a checkout.
"""

from collections import namedtuple
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections, models, router
from django.db.models import NOT_PROVIDED
from django.db.models.constants import OnConflict
from django.db.models.expressions import RawSQL
from django.db.models.sql import DeleteQuery, UpdateQuery

M = TypeVar("M", bound=models.Model)
R = TypeVar("R")

# Fields whose values a driver takes as they are.
PLAIN = (models.CharField, models.TextField, models.IntegerField, models.FloatField, models.ForeignKey)
# Fields that only prepare a value that is not null.
NULL_IS_PLAIN = (models.DateTimeField, models.DecimalField)
VARIANTS_MAX = 200  # of one statement that are stored: lengths of lists, sets of columns


def _is_ready(field: Any) -> bool:
    """Whether a driver takes the attribute of an instance as it is."""
    return isinstance(field, PLAIN) and type(field).pre_save is models.Field.pre_save


class Column:
    """A column of an INSERT: its default in the database, and its attribute if a driver takes that as it is."""

    def __init__(self, field: Any) -> None:
        self.field, self.attname, self.default = field, field.attname, field.db_default
        self.ready = field.attname if _is_ready(field) else None
        self.required = self.default is NOT_PROVIDED
        self.null_ready = isinstance(field, NULL_IS_PLAIN)

    def prepared(self, instance: models.Model, connection: Any) -> Any:
        """The value of the instance as the driver takes it."""
        value = self.field.pre_save(instance, add=True)
        return None if value is None and self.null_ready else self.field.get_db_prep_save(value, connection)


def _given(columns: Sequence[Column], instances: Sequence[dict[str, Any]]) -> list[Column]:
    """The columns whose value in any instance differs from their default in the database."""
    first, *others = instances
    return [
        column
        for column in columns
        if column.required
        or first.get(column.attname) != column.default
        or any(attributes.get(column.attname) != column.default for attributes in others)
    ]


class Slot:
    """In the parameters of a compiled statement: a value that is given when it runs."""

    def __init__(self, name: str, field: models.Field) -> None:
        self.name, self.field = name, field
        # The type that a driver takes as it is.
        self.plain = {models.BigIntegerField: int, models.CharField: str}.get(type(field))


def slot(name: str, field: models.Field | None = None) -> RawSQL:
    """A value of a queryset that is given later. `field` is its type; an integer by default."""
    field = field or models.BigIntegerField()
    return RawSQL("%s", [Slot(name, field)], field)


def slots(count: int, field: models.Field | None = None) -> list[Any]:
    """The slots of a list of `count` values. `field` is their type; integers by default."""
    return [slot(str(number), field) for number in range(count)]


class Compiled:
    """SQL with parameters, some of which are slots."""

    returns_rows = False

    def __init__(self, sql: str, parameters: Sequence[Any]) -> None:
        self.sql, self.parameters = sql, parameters

    def execute(self, values: dict[str, Any], database: str = DEFAULT_DB_ALIAS) -> Any:
        """Run it with the values of its slots; return its rows, or how many it wrote."""
        connection = connections[database]
        parameters = [
            each
            if not isinstance(each, Slot)
            else values[each.name]
            if type(values[each.name]) is each.plain
            else each.field.get_db_prep_value(values[each.name], connection)
            for each in self.parameters
        ]
        with connection.cursor() as cursor:
            cursor.execute(self.sql, parameters)
            return cursor.fetchall() if self.returns_rows else cursor.rowcount


class CompiledSelect(Compiled, Generic[R]):
    """A SELECT, and what makes results of its rows."""

    returns_rows = True

    def __init__(self, queryset: "models.QuerySet[Any]") -> None:
        self.compiler: Any = queryset.query.get_compiler(DEFAULT_DB_ALIAS)
        super().__init__(*self.compiler.as_sql())
        self.expressions = [expression for expression, *_ in self.compiler.select]
        self.converters = self.compiler.get_converters(self.expressions)
        self.model = queryset.model

    def converted(self, values: dict[str, Any], database: str = DEFAULT_DB_ALIAS) -> Iterable[Sequence[Any]]:
        rows = self.execute(values, database)
        return self.compiler.apply_converters(rows, self.converters) if self.converters else rows

    def results(self, values: dict[str, Any]) -> list[R]:
        raise NotImplementedError


class Variants(Generic[R]):
    """A SELECT, compiled once for each length of a list of values.

    A queryset for a list is built by `build(count)`, with the slots "0", "1" and so on.
    """

    compiled_by: type[CompiledSelect[Any]]

    def __init__(self, build: "Callable[..., models.QuerySet[Any]]") -> None:
        self.build = build
        self.compiled: dict[int | None, CompiledSelect[R]] = {}

    def first(self, **values: Any) -> R | None:
        """The first row; the queryset says in which order, where that matters."""
        found = self._run(None, values)
        return found[0] if found else None

    def all(self, **values: Any) -> list[R]:
        return self._run(None, values)

    def of_list(self, values: Sequence[Any], **others: Any) -> list[R]:
        """The rows of a list of values; `others` are those of the queryset's other slots."""
        listed = {str(number): value for number, value in enumerate(values)}
        return self._run(len(values), listed | others) if values else []

    def _run(self, count: int | None, values: dict[str, Any]) -> list[R]:
        if count not in self.compiled:
            if len(self.compiled) >= VARIANTS_MAX:
                self.compiled.clear()
            self.compiled[count] = self.compiled_by(self.build() if count is None else self.build(count))
        return self.compiled[count].results(values)


class CompiledModels(CompiledSelect[M]):
    def __init__(self, queryset: "models.QuerySet[M]") -> None:
        super().__init__(queryset)
        self.annotations = list(self.compiler.annotation_col_map.items())
        annotated = set(self.compiler.annotation_col_map.values())
        self.columns = [position for position in range(len(self.expressions)) if position not in annotated]
        self.names = [self.expressions[position].target.attname for position in self.columns]

    def results(self, values: dict[str, Any]) -> list[M]:
        return [self._instance(row) for row in self.converted(values)]

    def _instance(self, row: Sequence[Any]) -> M:
        instance = self.model.from_db(DEFAULT_DB_ALIAS, self.names, [row[position] for position in self.columns])
        for name, position in self.annotations:
            setattr(instance, name, row[position])
        return instance


class CompiledRows(CompiledSelect[Any]):
    def __init__(self, queryset: "models.QuerySet[Any]") -> None:
        super().__init__(queryset)
        self.row: Any = namedtuple("Row", list(queryset.query.selected or []))  # type: ignore[misc]

    def results(self, values: dict[str, Any]) -> list[Any]:
        return list(map(self.row._make, self.converted(values, router.db_for_read(self.model))))


class Select(Variants[M]):
    """Instances of a model, by a queryset with slots that selects all columns of the model.

    Its annotations become attributes.
    """

    compiled_by = CompiledModels

    def __init__(self, build: "Callable[..., models.QuerySet[M]]") -> None:  # its type tells that of the instances
        super().__init__(build)


class SelectRows(Variants[Any]):
    """Named tuples, by a `values_list(named=True)` with slots. They are read where the router says."""

    compiled_by = CompiledRows


class Write:
    """An UPDATE with slots in the queryset or in the changes; without changes, a DELETE, which does not cascade."""

    def __init__(self, build: Callable[[], "models.QuerySet[Any]"], **changes: Any) -> None:
        self.build, self.changes = build, changes
        self.compiled: Compiled | None = None

    def run(self, **values: Any) -> int:
        """Return how many rows were written."""
        if self.compiled is None:
            query: Any = self.build().query.chain(UpdateQuery if self.changes else DeleteQuery)
            if self.changes:
                query.add_update_values(self.changes)
                query.annotations = {}
            self.compiled = Compiled(*query.get_compiler(DEFAULT_DB_ALIAS).as_sql())
        return self.compiled.execute(values)


class Insert(Generic[M]):
    """Inserts new instances of a model, without its signals. A column that has its database's default is left out."""

    def __init__(self, model: type[M]) -> None:
        self.model = model
        self.statements: dict[tuple[tuple[str, ...], int], str] = {}

    def one(self, instance: M) -> M:
        """Insert `instance` and set its primary key."""
        self._insert([instance], returns_key=True)
        return instance

    def all(self, instances: Sequence[M]) -> None:
        """Insert several by one statement. Their primary keys are not set."""
        if instances:
            self._insert(instances)

    def rows(self, names: Sequence[str], rows: Sequence[Sequence[Any]], **shared: Any) -> None:
        """Insert by one statement rows that differ in the fields `names` alone: an instance for each takes far longer.

        The other fields have the values `shared`, or their defaults.
        """
        if not rows:
            return
        connection, template = connections[DEFAULT_DB_ALIAS], self.model(**shared)
        by_name = {column.field.name: column for column in self.columns}
        varying = [by_name.pop(name) for name in names]
        others = _given(list(by_name.values()), [vars(template)])
        constant = [column.prepared(template, connection) for column in others]
        prepared = [(position, column.field) for position, column in enumerate(varying) if not column.ready]
        parameters: list[Any] = []
        for row in rows:
            values = [*row, *constant]
            for position, field in prepared:
                values[position] = field.get_db_prep_save(values[position], connection)
            parameters += values
        with connection.cursor() as cursor:
            cursor.execute(self._sql([*varying, *others], len(rows)), parameters)

    def _insert(self, instances: Sequence[M], *, returns_key: bool = False) -> None:
        connection = connections[DEFAULT_DB_ALIAS]
        columns = _given(self.columns, [vars(instance) for instance in instances])
        parameters = [
            getattr(instance, column.ready) if column.ready else column.prepared(instance, connection)
            for instance in instances
            for column in columns
        ]
        with connection.cursor() as cursor:
            cursor.execute(self._sql(columns, len(instances)), parameters)
            if returns_key:
                meta = self.model._meta
                instances[0].pk = connection.ops.last_insert_id(cursor, meta.db_table, str(meta.pk.column))
        for instance in instances:
            instance._state.adding, instance._state.db = False, DEFAULT_DB_ALIAS

    @cached_property
    def columns(self) -> list["Column"]:
        return [Column(field) for field in self.model._meta.concrete_fields if not field.primary_key]

    def _sql(self, given: Sequence[Column], rows: int) -> str:
        key = tuple(column.field.column for column in given), rows
        if key not in self.statements:
            quote = connections[DEFAULT_DB_ALIAS].ops.quote_name
            columns = ", ".join(map(quote, key[0]))
            row = f"({', '.join(['%s'] * len(given))})"
            if len(self.statements) >= VARIANTS_MAX:
                self.statements.clear()
            table = quote(self.model._meta.db_table)
            self.statements[key] = f"INSERT INTO {table} ({columns}) VALUES {', '.join([row] * rows)}"  # noqa: S608
        return self.statements[key]


class Overwrite(Generic[M]):
    """Writes columns of many existing rows by one statement, without signals. `bulk_update` takes far longer.

    It is an INSERT of whole rows, which all exist: the caller has locked and read them. Each is found by its primary
    key before any other key: a unique value of another row is an IntegrityError, and does not overwrite that row.
    """

    def __init__(self, model: type[M]) -> None:
        self.model = model

    def all(self, instances: Sequence[M], names: Iterable[str]) -> None:
        """Write the fields `names` of the instances."""
        if not instances:
            return
        connection, meta = connections[DEFAULT_DB_ALIAS], self.model._meta
        fields: Any = meta.concrete_fields
        written = [field.column for field in fields if field.name in set(names)]
        quote: Any = connection.ops.quote_name
        columns = ", ".join(quote(field.column) for field in fields)
        rows = ", ".join([f"({', '.join(['%s'] * len(fields))})"] * len(instances))
        insert = f"INSERT INTO {quote(meta.db_table)} ({columns}) VALUES {rows}"  # noqa: S608
        update = connection.ops.on_conflict_suffix_sql(fields, OnConflict.UPDATE, written, [meta.pk.column])
        columns_of = [(field.attname, None if _is_ready(field) else field.get_db_prep_save) for field in fields]
        parameters = [
            prepare(getattr(instance, name), connection) if prepare else getattr(instance, name)
            for instance in instances
            for name, prepare in columns_of
        ]
        with connection.cursor() as cursor:
            cursor.execute(f"{insert} {update}", parameters)

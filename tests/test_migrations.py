"""Each migration is one that the code of the release before bears while it still runs: docs/deploy.md."""

from typing import Any

import pytest
from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation

OURS = ("accounts", "carts", "orders", "outbox", "products")
# Released together: nothing ran before them.
FIRST = {
    ("accounts", "0001_initial"),
    ("accounts", "0002_roles"),
    ("carts", "0001_initial"),
    ("orders", "0001_initial"),
    ("outbox", "0001_initial"),
    ("products", "0001_initial"),
    ("products", "0002_search"),
}
BORNE = (
    migrations.CreateModel,
    migrations.AddIndex,
    migrations.RemoveIndex,
    migrations.RenameIndex,
    migrations.RemoveConstraint,
    migrations.AlterModelOptions,
    migrations.AlterModelManagers,
    migrations.RunPython,
)


def refusal(operation: Operation) -> str:
    """Why code that does not know of it cannot go on; empty where it can."""
    if isinstance(operation, migrations.AddField):
        field = operation.field
        has_value = field.null or field.has_db_default() or field.many_to_many
        return "" if has_value else f"{operation.name}: the old code's INSERT gives it no value: add null or db_default"
    if isinstance(operation, migrations.SeparateDatabaseAndState):
        return next(filter(None, map(refusal, operation.database_operations)), "")
    return "" if isinstance(operation, BORNE) else f"{operation.describe()}: the old code may not bear it"


def test_the_old_code_bears_each_migration() -> None:
    loader = MigrationLoader(None)
    refused = [
        f"{app}.{name}: {reason}"
        for (app, name), migration in loader.disk_migrations.items()
        if app in OURS and (app, name) not in FIRST and not getattr(migration, "unused_since", None)
        for reason in map(refusal, migration.operations)
        if reason
    ]
    assert not refused


def field(**options: Any) -> models.CharField:
    return models.CharField(max_length=20, **options)


@pytest.mark.parametrize(
    ("operation", "borne"),
    [
        (migrations.AddField("product", "shelf", field(db_default="")), True),
        (migrations.AddField("product", "shelf", field(null=True)), True),
        (migrations.AddField("product", "shelf", field(default="")), False),
        (migrations.RemoveField("product", "brand"), False),
        (migrations.RenameField("product", "brand", "maker"), False),
        (migrations.AlterField("product", "brand", field(unique=True)), False),
        (migrations.DeleteModel("product"), False),
        (migrations.RunSQL("DROP TABLE products_product"), False),
        (migrations.SeparateDatabaseAndState([migrations.DeleteModel("product")]), False),
    ],
)
def test_what_is_borne(operation: Operation, borne: bool) -> None:
    assert (refusal(operation) == "") is borne

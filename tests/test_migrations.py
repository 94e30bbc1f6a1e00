"""Each migration is compatible with the code of the previous release, which still runs: docs/deploy.md."""

from typing import Any

import pytest
from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation

OURS = ("accounts", "backoffice", "carts", "delivery", "orders", "outbox", "payments", "products", "taxes")
# Released together, or of tables that are new: no earlier code ran with them.
FIRST = {
    ("accounts", "0001_initial"),
    ("accounts", "0002_roles"),
    ("carts", "0001_initial"),
    ("orders", "0001_initial"),
    ("outbox", "0001_initial"),
    ("payments", "0001_initial"),
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


def incompatibility(operation: Operation) -> str:
    """Why the previous release fails after the operation; empty if it does not."""
    if isinstance(operation, migrations.AddField):
        field = operation.field
        has_value = field.null or field.has_db_default() or field.many_to_many
        return "" if has_value else f"{operation.name}: the old code's INSERT gives it no value: add null or db_default"
    if isinstance(operation, migrations.SeparateDatabaseAndState):
        return next(filter(None, map(incompatibility, operation.database_operations)), "")
    return "" if isinstance(operation, BORNE) else f"{operation.describe()}: the old code may not bear it"


def test_each_migration_is_compatible_with_the_previous_release() -> None:
    loader = MigrationLoader(None)
    refused = [
        f"{app}.{name}: {reason}"
        for (app, name), migration in loader.disk_migrations.items()
        if app in OURS and (app, name) not in FIRST and not getattr(migration, "unused_since", None)
        for operation in migration.operations
        # A migration may say why the old code works after an operation: `compatible = {its description: why}`.
        if operation.describe() not in getattr(migration, "compatible", {}) and (reason := incompatibility(operation))
    ]
    assert not refused


def field(**options: Any) -> models.CharField:
    return models.CharField(max_length=20, **options)


@pytest.mark.parametrize(
    ("operation", "compatible"),
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
def test_incompatible_operations_are_found(operation: Operation, compatible: bool) -> None:
    assert (incompatibility(operation) == "") is compatible

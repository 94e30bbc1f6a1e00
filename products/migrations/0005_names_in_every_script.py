"""Names are ordered without their accents, and words of every script are found.

The sort key stands in `name_key`, before the folded name: a column of its own would have MySQL copy the whole
table, which has a fulltext index, and block its writers for minutes. A longer column is a word in its dictionary.
"""

from typing import Any

from django.db import migrations, models

from productbackend.database.fields import KeyField
from products.search import derived
from products.naming import validate_visible

LENGTH = 512
REPORT_EVERY = 100_000
WIDENED = {"products_product": 255, "products_category": 300}


def widen(apps: Any, schema_editor: Any) -> None:
    """In place, while others read and write. SQLite knows no length."""
    _resize(schema_editor, {table: LENGTH for table in WIDENED})


def narrow(apps: Any, schema_editor: Any) -> None:
    _resize(schema_editor, WIDENED)


def _resize(schema_editor: Any, lengths: dict[str, int]) -> None:
    if schema_editor.connection.vendor == "mysql":
        for table, length in lengths.items():
            schema_editor.execute(
                f"ALTER TABLE {table} MODIFY name_key varchar({length}) COLLATE utf8mb4_bin NOT NULL"
            )


def name(length: int) -> models.CharField:
    return models.CharField(max_length=length, validators=[validate_visible])


class Progress:
    """A line now and then, where there are many rows."""

    def __init__(self) -> None:
        self.done = 0

    def __call__(self, ids: list[int]) -> None:
        before, self.done = self.done, self.done + len(ids)
        if before // REPORT_EVERY < self.done // REPORT_EVERY:
            print(f"\n    {self.done:,} products have been looked through", end="", flush=True)


def refresh(apps: Any, schema_editor: Any) -> None:
    alias = schema_editor.connection.alias
    categories = apps.get_model("products", "Category").objects.using(alias)
    clashing = derived.refresh_categories(categories)
    if clashing:
        print(f"\n    {derived.clash(clashing)}", end="", flush=True)
    derived.refresh_products(apps.get_model("products", "Product").objects.using(alias), categories, Progress())


class Migration(migrations.Migration):

    atomic = False  # each slice is committed by itself
    dependencies = [("products", "0004_ledger_index")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(widen, narrow)],
            state_operations=[
                migrations.AlterField("category", "name", name(100)),
                migrations.AlterField("category", "name_key", KeyField(editable=False, max_length=LENGTH)),
                migrations.AlterField("product", "name", name(200)),
                migrations.AlterField("product", "name_key", KeyField(editable=False, max_length=LENGTH)),
            ],
        ),
        migrations.RunPython(refresh, migrations.RunPython.noop),
    ]

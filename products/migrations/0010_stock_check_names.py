"""The fields of the stock check as every verification has them. Its columns do not change."""

from django.db import migrations, models

NAMES = {"products": "checked", "last_product": "last_pk", "products_so_far": "checked_so_far"}
FIELDS = {
    "checked": models.PositiveIntegerField(db_column="products", default=0),
    "last_pk": models.BigIntegerField(db_column="last_product", default=0),
    "checked_so_far": models.PositiveIntegerField(db_column="products_so_far", default=0),
}


class Migration(migrations.Migration):

    dependencies = [
        ('products', '0009_tax_class'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                *(migrations.RenameField("stockcheck", old, new) for old, new in NAMES.items()),
                *(migrations.AlterField("stockcheck", name, field) for name, field in FIELDS.items()),
            ]
        )
    ]

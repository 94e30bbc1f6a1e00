"""A rating that nobody gave is null. It was 5, the former default.

A 5 that was typed cannot be told from the default: it becomes null too. Every other rating stays.
"""

from typing import Any

import django.core.validators
from django.db import migrations, models

FORMER_DEFAULT = 5
SLICE = 1_000


def forget_defaults(apps: Any, schema_editor: Any) -> None:
    _replace(apps, schema_editor, FORMER_DEFAULT, None)


def restore_defaults(apps: Any, schema_editor: Any) -> None:
    _replace(apps, schema_editor, None, FORMER_DEFAULT)


def _replace(apps: Any, schema_editor: Any, before: float | None, after: float | None) -> None:
    """In slices, each its own transaction: the shop sells meanwhile."""
    rows = apps.get_model('products', 'Product').objects.using(schema_editor.connection.alias).order_by('pk')
    unchanged = {'rating__isnull': True} if before is None else {'rating': before}
    last = 0
    while ids := list(rows.filter(pk__gt=last).values_list('pk', 'rating')[:SLICE]):
        wanted = [pk for pk, rating in ids if rating == before]
        if wanted:
            rows.order_by().filter(pk__in=wanted, **unchanged).update(rating=after)
        last = ids[-1][0]


class Migration(migrations.Migration):
    atomic = False

    compatible = {
        'Alter field rating on product': 'the old code writes a rating in every row, and shows null as it shows a '
        'number; its facets alone fail for products without one, until the deployment has ended'
    }

    dependencies = [
        ('products', '0012_families'),
    ]

    operations = [
        migrations.AlterField(
            model_name='product',
            name='rating',
            field=models.FloatField(blank=True, null=True, validators=[django.core.validators.MinValueValidator(0.1), django.core.validators.MaxValueValidator(5)]),
        ),
        migrations.RunPython(forget_defaults, restore_defaults),
    ]

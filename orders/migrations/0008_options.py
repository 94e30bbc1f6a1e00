"""The options of a product of a family, as they were at checkout."""

from django.db import migrations

import productbackend.database.fields


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0007_notes_and_skus'),
    ]

    operations = [
        migrations.AddField(
            model_name='orderline',
            name='options',
            field=productbackend.database.fields.TextMapField(),
        ),
    ]

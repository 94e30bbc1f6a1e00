"""The tax class of products.

Each column has a default in the database: servers add it without copying the table, and the release before can write
rows.
"""

import productbackend.database.fields
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('products', '0008_former_slugs'),
    ]

    operations = [
        migrations.AddField(
            model_name='product',
            name='tax_class',
            field=productbackend.database.fields.KeyField(db_default='standard', default='standard', help_text="A word of the shop's own, such as reduced.", max_length=50),
        ),
    ]

"""The permission to export orders, for those who do the accounts."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0005_payments'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='order',
            options={'ordering': ['-created_at', '-id'], 'permissions': [('export_order', 'Can export orders')]},
        ),
    ]

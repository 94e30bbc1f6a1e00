"""The address book."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0005_guest'),
    ]

    operations = [
        migrations.CreateModel(
            name='Address',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('is_default', models.BooleanField(default=False)),
                ('name', models.CharField(blank=True, db_default='', default='', max_length=200)),
                ('company', models.CharField(blank=True, db_default='', default='', max_length=200)),
                ('line1', models.CharField(blank=True, db_default='', default='', max_length=200)),
                ('line2', models.CharField(blank=True, db_default='', default='', max_length=200)),
                ('postal_code', models.CharField(blank=True, db_default='', default='', max_length=40)),
                ('city', models.CharField(blank=True, db_default='', default='', max_length=200)),
                ('region', models.CharField(blank=True, db_default='', default='', max_length=200)),
                ('country', models.CharField(blank=True, db_default='', default='', max_length=2)),
                ('phone', models.CharField(blank=True, db_default='', default='', max_length=40)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='addresses', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['id'],
            },
        ),
    ]

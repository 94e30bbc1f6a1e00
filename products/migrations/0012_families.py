"""Families: products that differ by options such as a size.

Each new column of the products is null or has a default in the database: servers add it without copying the table, and
the release before can write rows.
"""

import django.db.models.deletion
from django.db import migrations, models

import productbackend.database.fields
import products.naming


class Migration(migrations.Migration):

    dependencies = [
        ('products', '0011_low_stock'),
    ]

    operations = [
        migrations.CreateModel(
            name='Family',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=200, validators=[products.naming.validate_visible])),
                ('name_key', productbackend.database.fields.KeyField(editable=False, max_length=512)),
                ('slug', productbackend.database.fields.KeyField(blank=True, help_text='Derived from the name if empty.', max_length=220, unique=True)),
                ('description', models.TextField(blank=True)),
                ('brand', models.CharField(blank=True, max_length=100)),
                ('axes', models.JSONField()),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('category', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='families', to='products.category')),
            ],
            options={
                'verbose_name_plural': 'families',
                'ordering': ['name_key', 'id'],
                'indexes': [
                    models.Index(fields=['name_key'], name='family_name'),
                    models.Index(fields=['created_at'], name='family_created'),
                ],
            },
        ),
        migrations.CreateModel(
            name='Option',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('axis_key', productbackend.database.fields.KeyField(max_length=150)),
                ('value_key', productbackend.database.fields.KeyField(max_length=255)),
                ('product', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='products.product')),
            ],
            options={
                'indexes': [models.Index(fields=['axis_key', 'value_key', 'product'], name='option_value')],
                'constraints': [models.UniqueConstraint(fields=('product', 'axis_key'), name='option_once')],
            },
        ),
        migrations.AddField(
            model_name='product',
            name='family',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='members', to='products.family'),
        ),
        migrations.AddField(
            model_name='product',
            name='options',
            field=productbackend.database.fields.TextMapField(),
        ),
        migrations.AddField(
            model_name='product',
            name='options_key',
            field=productbackend.database.fields.KeyField(editable=False, max_length=32, null=True, unique=True),
        ),
        migrations.AddField(
            model_name='product',
            name='family_position',
            field=models.PositiveIntegerField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='product',
            name='is_lead',
            field=models.BooleanField(db_default=True, default=True, editable=False),
        ),
        migrations.AddIndex(
            model_name='product',
            index=models.Index(fields=['family', 'family_position'], name='product_family'),
        ),
        migrations.AddIndex(
            model_name='product',
            index=models.Index(fields=['is_lead', 'is_active', 'name_key'], name='product_lead_name'),
        ),
        migrations.AddIndex(
            model_name='product',
            index=models.Index(fields=['category', 'is_lead', 'is_active', 'name_key'], name='product_category_lead'),
        ),
    ]

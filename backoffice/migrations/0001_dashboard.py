"""The rollups of sales by day, and their check."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('products', '0011_low_stock'),
    ]

    operations = [
        migrations.CreateModel(
            name='SalesCheck',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ended_at', models.DateTimeField(null=True)),
                ('checked', models.PositiveIntegerField(default=0)),
                ('wrong', models.PositiveIntegerField(default=0)),
                ('last_pk', models.BigIntegerField(default=0)),
                ('checked_so_far', models.PositiveIntegerField(default=0)),
                ('wrong_so_far', models.PositiveIntegerField(default=0)),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='SalesDay',
            fields=[
                ('day', models.DateField(primary_key=True, serialize=False)),
                ('basis', models.CharField(blank=True, default='', max_length=80)),
                ('orders', models.PositiveIntegerField(default=0)),
                ('revenue', models.DecimalField(decimal_places=2, default=0, max_digits=20)),
                ('pieces', models.BigIntegerField(default=0)),
                ('rolled_at', models.DateTimeField(null=True)),
            ],
            options={
                'ordering': ['day'],
            },
        ),
        migrations.CreateModel(
            name='SalesProgress',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('until', models.DateTimeField()),
                ('best', models.JSONField(default=list)),
                ('least', models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name='ProductSalesDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('pieces', models.BigIntegerField()),
                ('product', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='products.product')),
            ],
            options={
                'indexes': [models.Index(fields=['day', 'product', 'pieces'], name='product_sales_day')],
            },
        ),
    ]

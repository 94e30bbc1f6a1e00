"""Addresses and the delivery method of carts.

Each column has a default in the database: servers add it without copying the table, and the release before can write
rows.
"""

import productbackend.database.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('carts', '0003_guests'),
    ]

    operations = [
        migrations.AddField(
            model_name='cart',
            name='billing_city',
            field=models.CharField(blank=True, db_default='', default='', max_length=200),
        ),
        migrations.AddField(
            model_name='cart',
            name='billing_company',
            field=models.CharField(blank=True, db_default='', default='', max_length=200),
        ),
        migrations.AddField(
            model_name='cart',
            name='billing_country',
            field=models.CharField(blank=True, db_default='', default='', max_length=2),
        ),
        migrations.AddField(
            model_name='cart',
            name='billing_line1',
            field=models.CharField(blank=True, db_default='', default='', max_length=200),
        ),
        migrations.AddField(
            model_name='cart',
            name='billing_line2',
            field=models.CharField(blank=True, db_default='', default='', max_length=200),
        ),
        migrations.AddField(
            model_name='cart',
            name='billing_name',
            field=models.CharField(blank=True, db_default='', default='', max_length=200),
        ),
        migrations.AddField(
            model_name='cart',
            name='billing_phone',
            field=models.CharField(blank=True, db_default='', default='', max_length=40),
        ),
        migrations.AddField(
            model_name='cart',
            name='billing_postal_code',
            field=models.CharField(blank=True, db_default='', default='', max_length=40),
        ),
        migrations.AddField(
            model_name='cart',
            name='billing_region',
            field=models.CharField(blank=True, db_default='', default='', max_length=200),
        ),
        migrations.AddField(
            model_name='cart',
            name='delivery_method',
            field=productbackend.database.fields.KeyField(blank=True, db_default='', default='', max_length=50),
        ),
        migrations.AddField(
            model_name='cart',
            name='shipping_city',
            field=models.CharField(blank=True, db_default='', default='', max_length=200),
        ),
        migrations.AddField(
            model_name='cart',
            name='shipping_company',
            field=models.CharField(blank=True, db_default='', default='', max_length=200),
        ),
        migrations.AddField(
            model_name='cart',
            name='shipping_country',
            field=models.CharField(blank=True, db_default='', default='', max_length=2),
        ),
        migrations.AddField(
            model_name='cart',
            name='shipping_line1',
            field=models.CharField(blank=True, db_default='', default='', max_length=200),
        ),
        migrations.AddField(
            model_name='cart',
            name='shipping_line2',
            field=models.CharField(blank=True, db_default='', default='', max_length=200),
        ),
        migrations.AddField(
            model_name='cart',
            name='shipping_name',
            field=models.CharField(blank=True, db_default='', default='', max_length=200),
        ),
        migrations.AddField(
            model_name='cart',
            name='shipping_phone',
            field=models.CharField(blank=True, db_default='', default='', max_length=40),
        ),
        migrations.AddField(
            model_name='cart',
            name='shipping_postal_code',
            field=models.CharField(blank=True, db_default='', default='', max_length=40),
        ),
        migrations.AddField(
            model_name='cart',
            name='shipping_region',
            field=models.CharField(blank=True, db_default='', default='', max_length=200),
        ),
    ]

"""Tax rates."""

import django.core.validators
import productbackend.database.fields
import productbackend.database.postal_addresses
from decimal import Decimal
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='TaxRate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('country', models.CharField(help_text='ISO 3166-1 alpha-2.', max_length=2, validators=[productbackend.database.postal_addresses.validate_country])),
                ('tax_class', productbackend.database.fields.KeyField(default='standard', help_text='A word such as reduced.', max_length=50)),
                ('rate', models.DecimalField(decimal_places=4, help_text='Percent.', max_digits=7, validators=[django.core.validators.MinValueValidator(Decimal('0')), django.core.validators.MaxValueValidator(Decimal('100'))])),
                ('valid_from', models.DateField(help_text="The first day, in the shop's time zone.")),
            ],
            options={
                'ordering': ['country', 'tax_class', '-valid_from'],
                'constraints': [models.UniqueConstraint(fields=('country', 'tax_class', 'valid_from'), name='tax_rate_once', violation_error_message='This class has a rate in that country from that day on already.'), models.CheckConstraint(condition=models.Q(('rate__gte', 0), ('rate__lte', 100)), name='tax_rate_range')],
            },
        ),
    ]

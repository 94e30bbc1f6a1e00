"""The threshold of a product that runs out."""

import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('products', '0010_stock_check_names'),
    ]

    operations = [
        migrations.AddField(
            model_name='product',
            name='low_stock',
            field=models.PositiveIntegerField(blank=True, help_text="The home page lists the product at so many pieces or fewer. Empty: the shop's LOW_STOCK.", null=True, validators=[django.core.validators.MaxValueValidator(2147483647)], verbose_name='low stock at'),
        ),
        migrations.AddIndex(
            model_name='product',
            index=models.Index(fields=['low_stock'], name='product_low_stock'),
        ),
    ]

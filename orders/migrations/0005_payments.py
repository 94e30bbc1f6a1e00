"""Orders that wait for money, what was paid back, and the pieces that refunds have put back in stock."""

from decimal import Decimal
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0007_delivery_and_tax_roles'),
        ('orders', '0004_order_check'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    compatible = {
        f"Alter field status on {model}": "The choices are not in the database, and the column stays as it is."
        for model in ("order", "orderchange")
    }

    operations = [
        migrations.AddField(
            model_name='order',
            name='expires_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='order',
            name='paid_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='order',
            name='refunded',
            field=models.DecimalField(db_default=Decimal('0.00'), decimal_places=2, default=Decimal('0.00'), max_digits=20),
        ),
        migrations.AddField(
            model_name='orderline',
            name='restocked',
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.AlterField(
            model_name='order',
            name='status',
            field=models.CharField(choices=[('pending', 'Pending'), ('paid', 'Paid'), ('fulfilled', 'Fulfilled'), ('cancelled', 'Cancelled'), ('expired', 'Expired')], default='paid', max_length=10),
        ),
        migrations.AlterField(
            model_name='orderchange',
            name='status',
            field=models.CharField(choices=[('pending', 'Pending'), ('paid', 'Paid'), ('fulfilled', 'Fulfilled'), ('cancelled', 'Cancelled'), ('expired', 'Expired')], max_length=10),
        ),
        migrations.AddIndex(
            model_name='order',
            index=models.Index(fields=['expires_at'], name='order_expires'),
        ),
    ]

"""The money of a refund that failed after it was done, and an index that finds the failed refunds."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    compatible = {"Alter field kind on moneymovement": "the choices are no part of the table: this has no SQL"}

    dependencies = [
        ('orders', '0005_payments'),
        ('payments', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name='moneymovement',
            name='kind',
            field=models.CharField(choices=[('capture', 'Capture'), ('refund', 'Refund'), ('refund_reversal', 'Refund Reversal'), ('chargeback', 'Chargeback'), ('chargeback_reversal', 'Chargeback Reversal')], max_length=20),
        ),
        migrations.AddIndex(
            model_name='refund',
            index=models.Index(fields=['status', 'resolved_at'], name='refund_status'),
        ),
    ]

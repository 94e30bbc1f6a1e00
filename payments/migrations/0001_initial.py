"""Payments, the ledger of money, refunds, events of providers, and the check of all of them."""

import django.db.models.deletion
import payments.models
import productbackend.database.fields
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('orders', '0005_payments'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='PaymentCheck',
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
            name='Difference',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', productbackend.database.fields.KeyField(max_length=300, unique=True)),
                ('kind', models.CharField(choices=[('order', 'Order'), ('unknown_money', 'Unknown Money'), ('unknown_payment', 'Unknown Payment'), ('books', 'Books')], max_length=20)),
                ('text', models.CharField(max_length=1000)),
                ('amount', models.DecimalField(decimal_places=2, max_digits=20, null=True)),
                ('currency', models.CharField(blank=True, default='', max_length=3)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('order', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='orders.order')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='Payment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('method', productbackend.database.fields.KeyField(max_length=20)),
                ('status', models.CharField(choices=[('pending', 'Pending'), ('succeeded', 'Succeeded'), ('failed', 'Failed'), ('cancelled', 'Cancelled')], default='pending', max_length=10)),
                ('open_key', productbackend.database.fields.KeyField(blank=True, editable=False, max_length=60, null=True, unique=True)),
                ('key', productbackend.database.fields.KeyField(default=payments.models.new_key, editable=False, max_length=32, unique=True)),
                ('reference', productbackend.database.fields.KeyField(blank=True, max_length=255, null=True)),
                ('amount', models.DecimalField(decimal_places=2, max_digits=20)),
                ('currency', models.CharField(max_length=3)),
                ('client_secret', models.CharField(blank=True, default='', max_length=255)),
                ('redirect_url', models.CharField(blank=True, default='', max_length=2000)),
                ('return_url', models.CharField(blank=True, default='', max_length=2000)),
                ('note', models.CharField(blank=True, default='', max_length=200)),
                ('error', models.CharField(blank=True, default='', max_length=500)),
                ('key_owner', productbackend.database.fields.KeyField(blank=True, default='', editable=False, max_length=30)),
                ('idempotency_key', productbackend.database.fields.KeyField(blank=True, max_length=255, null=True)),
                ('fingerprint', models.CharField(blank=True, default='', max_length=64)),
                ('cancel_requested_at', models.DateTimeField(blank=True, null=True)),
                ('claimed_at', models.DateTimeField(blank=True, null=True)),
                ('checked_at', models.DateTimeField(blank=True, null=True)),
                ('due_at', models.DateTimeField(blank=True, null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('order', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='payments', to='orders.order')),
                ('user', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='ProviderEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('provider', productbackend.database.fields.KeyField(max_length=20)),
                ('event_id', productbackend.database.fields.KeyField(max_length=255)),
                ('kind', models.CharField(blank=True, default='', max_length=100)),
                ('reference', productbackend.database.fields.KeyField(blank=True, default='', max_length=255)),
                ('processed_at', models.DateTimeField(blank=True, null=True)),
                ('due_at', models.DateTimeField(blank=True, null=True)),
                ('attempts', models.PositiveIntegerField(default=0)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'ordering': ['id'],
                'indexes': [models.Index(fields=['due_at'], name='provider_event_due'), models.Index(fields=['created_at'], name='provider_event_created')],
                'constraints': [models.UniqueConstraint(fields=('provider', 'event_id'), name='provider_event_once')],
            },
        ),
        migrations.CreateModel(
            name='Refund',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('amount', models.DecimalField(decimal_places=2, max_digits=20)),
                ('delivery', models.BooleanField(default=False)),
                ('reason', models.CharField(blank=True, default='', max_length=500)),
                ('status', models.CharField(choices=[('pending', 'Pending'), ('done', 'Done'), ('failed', 'Failed')], default='pending', max_length=10)),
                ('error', models.CharField(blank=True, default='', max_length=500)),
                ('cause', productbackend.database.fields.KeyField(blank=True, max_length=60, null=True, unique=True)),
                ('key', productbackend.database.fields.KeyField(default=payments.models.new_key, editable=False, max_length=32, unique=True)),
                ('reference', productbackend.database.fields.KeyField(blank=True, max_length=255, null=True)),
                ('key_owner', productbackend.database.fields.KeyField(blank=True, default='', editable=False, max_length=30)),
                ('idempotency_key', productbackend.database.fields.KeyField(blank=True, max_length=255, null=True)),
                ('fingerprint', models.CharField(blank=True, default='', max_length=64)),
                ('attempts', models.PositiveIntegerField(default=0)),
                ('claimed_at', models.DateTimeField(blank=True, null=True)),
                ('due_at', models.DateTimeField(blank=True, null=True)),
                ('resolved_at', models.DateTimeField(blank=True, null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('order', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='refunds', to='orders.order')),
                ('payment', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='refunds', to='payments.payment')),
                ('user', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='MoneyMovement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('capture', 'Capture'), ('refund', 'Refund'), ('chargeback', 'Chargeback'), ('chargeback_reversal', 'Chargeback Reversal')], max_length=20)),
                ('amount', models.DecimalField(decimal_places=2, max_digits=20)),
                ('currency', models.CharField(max_length=3)),
                ('provider', productbackend.database.fields.KeyField(max_length=20)),
                ('reference', productbackend.database.fields.KeyField(max_length=255)),
                ('occurred_at', models.DateTimeField()),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('order', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='movements', to='orders.order')),
                ('user', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('payment', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='movements', to='payments.payment')),
                ('refund', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='movements', to='payments.refund')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='RefundLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('quantity', models.PositiveIntegerField()),
                ('amount', models.DecimalField(db_default=0, decimal_places=2, default=0, max_digits=20)),
                ('restock', models.BooleanField(default=False)),
                ('line', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='refunds', to='orders.orderline')),
                ('refund', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='lines', to='payments.refund')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.AddIndex(
            model_name='payment',
            index=models.Index(fields=['due_at'], name='payment_due'),
        ),
        migrations.AddConstraint(
            model_name='payment',
            constraint=models.UniqueConstraint(fields=('method', 'reference'), name='payment_reference_once'),
        ),
        migrations.AddConstraint(
            model_name='payment',
            constraint=models.UniqueConstraint(fields=('key_owner', 'idempotency_key'), name='payment_owner_key_once'),
        ),
        migrations.AddIndex(
            model_name='refund',
            index=models.Index(fields=['due_at'], name='refund_due'),
        ),
        migrations.AddConstraint(
            model_name='refund',
            constraint=models.UniqueConstraint(fields=('key_owner', 'idempotency_key'), name='refund_owner_key_once'),
        ),
        migrations.AddConstraint(
            model_name='moneymovement',
            constraint=models.UniqueConstraint(fields=('provider', 'reference'), name='movement_reference_once'),
        ),
    ]

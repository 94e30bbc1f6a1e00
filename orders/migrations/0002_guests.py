"""Orders of guests, the owners of idempotency keys, and the time of the last change.

Each column has a default in the database: the release before writes orders while this migration runs, and after it until
its last process ends. Existing rows are filled in slices.
"""

import django.db.models.deletion
import django.db.models.functions.datetime
import productbackend.database.fields
from django.conf import settings
from django.db import migrations, models
from django.db.models import CharField, F, Value
from django.db.models.functions import Cast, Concat

SLICE = 2_000


def fill(apps, schema_editor):
    """Write who owns each key, and the creation as the last change."""
    orders = apps.get_model("orders", "Order").objects.using(schema_editor.connection.alias)
    last = 0
    while ids := list(orders.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:SLICE]):
        rows = orders.filter(pk__gt=last, pk__lte=ids[-1])
        rows.filter(updated_at__gt=F("created_at")).update(updated_at=F("created_at"))
        keyed = rows.filter(key_owner="", idempotency_key__isnull=False, placed_by__isnull=False)
        keyed.update(key_owner=Concat(Value("user:"), Cast("placed_by_id", CharField(max_length=20))))
        last = ids[-1]


class Migration(migrations.Migration):

    compatible = {
        "Alter field placed_by on order": "it adds an index",
        "Create constraint order_owner_key_once on model order": "orders of the release before have no owner of their "
        "key; of two customers with one key within a deployment, the second gets an error and no order",
    }
    atomic = False  # MySQL cannot roll back a changed table, and a slice's locks are short
    dependencies = [
        ('accounts', '0005_guest'),
        ('orders', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name='order',
            name='placed_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='order',
            name='email',
            field=productbackend.database.fields.KeyField(blank=True, db_default='', default='', max_length=254, verbose_name='e-mail address'),
        ),
        migrations.AddField(
            model_name='order',
            name='guest',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='orders', to='accounts.guest'),
        ),
        migrations.AddField(
            model_name='order',
            name='key_owner',
            field=productbackend.database.fields.KeyField(blank=True, db_default='', default='', editable=False, max_length=30),
        ),
        migrations.AddField(
            model_name='order',
            name='note',
            field=models.CharField(blank=True, db_default='', default='', max_length=2000),
        ),
        migrations.AddField(
            model_name='order',
            name='phone',
            field=models.CharField(blank=True, db_default='', default='', max_length=40),
        ),
        migrations.AddField(
            model_name='order',
            name='updated_at',
            field=models.DateTimeField(auto_now=True, db_default=django.db.models.functions.datetime.Now()),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name='order',
            index=models.Index(fields=['guest', 'created_at'], name='order_guest_created'),
        ),
        migrations.AddIndex(
            model_name='order',
            index=models.Index(fields=['email', 'created_at'], name='order_email_created'),
        ),
        migrations.AddIndex(
            model_name='order',
            index=models.Index(fields=['updated_at'], name='order_updated'),
        ),
        migrations.AddConstraint(
            model_name='order',
            constraint=models.UniqueConstraint(fields=('key_owner', 'idempotency_key'), name='order_owner_key_once'),
        ),
        migrations.RemoveConstraint(
            model_name='order',
            name='order_key_once',
        ),
    ]

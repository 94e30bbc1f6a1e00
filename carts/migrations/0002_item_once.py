"""One item for a product in a cart.

Duplicates, which the admin's form could make, are merged: the first item gets the sum of their quantities. The code of
the release before bears the constraint: it adds to the item that there is, with the cart locked. It may make a
duplicate in the admin until the index is there, so that merging and making the index are tried again.
"""

from django.db import IntegrityError, migrations, models, transaction
from django.db.models import Count, Min
from django.utils import timezone

NAME = "cart_item_once"
QUANTITY_MAX = 2_147_483_647
ATTEMPTS = 5


def merge(apps, alias):
    """Merge the duplicates, each cart's in a transaction of its own: no lock is held for long."""
    items = apps.get_model("carts", "CartItem").objects.using(alias)
    carts = apps.get_model("carts", "Cart").objects.using(alias)
    twice = items.exclude(product=None).values("cart_id", "product_id").annotate(rows=Count("id"), first=Min("id"))
    for row in twice.filter(rows__gt=1).order_by("cart_id", "product_id"):
        with transaction.atomic(using=alias):
            carts.select_for_update().filter(pk=row["cart_id"]).first()
            same = items.filter(cart_id=row["cart_id"], product_id=row["product_id"])
            total = sum(same.values_list("quantity", flat=True))
            same.exclude(pk=row["first"]).delete()
            same.filter(pk=row["first"]).update(quantity=min(total, QUANTITY_MAX))
            carts.filter(pk=row["cart_id"]).update(updated_at=timezone.now())


def add_constraint(apps, schema_editor):
    for attempt in range(1, ATTEMPTS + 1):
        merge(apps, schema_editor.connection.alias)
        try:
            schema_editor.execute(f"CREATE UNIQUE INDEX {NAME} ON carts_cartitem (cart_id, product_id)")
            return
        except IntegrityError:
            if attempt == ATTEMPTS:
                raise


def remove_constraint(apps, schema_editor):
    if schema_editor.connection.vendor == "mysql":  # the foreign key to the cart needs an index in its place
        schema_editor.execute("CREATE INDEX cart_item_cart ON carts_cartitem (cart_id)")
        schema_editor.execute(f"DROP INDEX {NAME} ON carts_cartitem")
    else:
        schema_editor.execute(f"DROP INDEX {NAME}")


class Migration(migrations.Migration):

    atomic = False  # MySQL cannot take a changed table back
    dependencies = [("carts", "0001_initial")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(add_constraint, remove_constraint)],
            state_operations=[
                migrations.AddConstraint(
                    model_name="cartitem",
                    constraint=models.UniqueConstraint(
                        fields=["cart", "product"],
                        name=NAME,
                        violation_error_message="The cart has this product already: change the quantity of its item.",
                    ),
                ),
            ],
        ),
    ]

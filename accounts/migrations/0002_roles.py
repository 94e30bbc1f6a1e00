"""The groups that a shop's staff start with.

A migration and no post_migrate handler: it runs once, so that a group which staff rename, change or
delete later stays as they left it. A fresh database has no permissions before its last migration,
so they are created here first, as post_migrate would.
"""

from typing import Any

from django.contrib.auth.management import create_permissions
from django.db import migrations

READ = ("view",)
ALL = ("view", "add", "change", "delete")

# Group -> app label and model -> what its members may do, by Django's model permissions.
ROLES: dict[str, dict[tuple[str, str], tuple[str, ...]]] = {
    "Catalogue managers": {
        ("products", "category"): ALL,
        ("products", "product"): ALL,
        ("products", "productimage"): ALL,
    },
    "Order desk": {
        ("orders", "order"): ("view", "change"),  # change: fulfil and cancel
        ("orders", "orderline"): READ,
        ("orders", "orderchange"): READ,
        ("carts", "cart"): ("view", "change"),  # change: check out for the customer
        ("carts", "cartitem"): ALL,  # what a change of a cart consists of
        ("products", "product"): READ,  # the admin looks up there what goes into a cart
    },
    "Support": {
        ("products", "category"): READ,
        ("products", "product"): READ,
        ("products", "productimage"): READ,
        ("orders", "order"): READ,
        ("orders", "orderline"): READ,
        ("orders", "orderchange"): READ,
        ("carts", "cart"): READ,
        ("carts", "cartitem"): READ,
        ("accounts", "user"): READ,
        ("outbox", "mail"): READ,  # whether the mail that somebody misses was sent
    },
}


def make_groups(apps: Any, schema_editor: Any) -> None:
    alias = schema_editor.connection.alias
    for label in {label for rights in ROLES.values() for label, _ in rights}:
        _create_permissions(apps, label, alias)
    Permission = apps.get_model("auth", "Permission")
    for name, rights in ROLES.items():
        group, is_new = apps.get_model("auth", "Group").objects.using(alias).get_or_create(name=name)
        if is_new:
            for (label, model), actions in rights.items():
                codenames = [f"{action}_{model}" for action in actions]
                found = Permission.objects.using(alias).filter(
                    content_type__app_label=label, content_type__model=model, codename__in=codenames
                )
                group.permissions.add(*found)


def _create_permissions(apps: Any, label: str, alias: str) -> None:
    config = apps.get_app_config(label)
    config.models_module = True  # an app of the past has none, and would be passed over
    create_permissions(config, apps=apps, using=alias, verbosity=0)
    config.models_module = None


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("products", "0001_initial"),
        ("orders", "0001_initial"),
        ("carts", "0001_initial"),
        ("outbox", "0001_initial"),
    ]

    operations = [migrations.RunPython(make_groups, migrations.RunPython.noop)]

"""What the staff's groups may do with payments.

It runs once, as `0002_roles`: a group that was renamed or deleted stays as it is.
"""

from typing import Any

from django.contrib.auth.management import create_permissions
from django.db import migrations

READ = ("view",)
WRITE = ("view", "add")  # of refunds: make them; of movements: mark an order as paid

# Group -> model -> what its members may do.
ROLES: dict[str, dict[str, tuple[str, ...]]] = {
    "Order desk": {
        "payment": READ,
        "refund": WRITE,
        "refundline": READ,
        "moneymovement": WRITE,
        "providerevent": READ,
    },
    "Support": {
        "payment": READ,
        "refund": READ,
        "refundline": READ,
        "moneymovement": READ,
        "providerevent": READ,
    },
}


def extend_groups(apps: Any, schema_editor: Any) -> None:
    alias = schema_editor.connection.alias
    Permission = apps.get_model("auth", "Permission")
    _create_permissions(apps, "payments", alias)
    for group in apps.get_model("auth", "Group").objects.using(alias).filter(name__in=ROLES):
        for model, actions in ROLES[group.name].items():
            codenames = [f"{action}_{model}" for action in actions]
            found = Permission.objects.using(alias).filter(
                content_type__app_label="payments", content_type__model=model, codename__in=codenames
            )
            group.permissions.add(*found)


def _create_permissions(apps: Any, label: str, alias: str) -> None:
    config = apps.get_app_config(label)
    config.models_module = True  # an app of the past has none, and would be passed over
    create_permissions(config, apps=apps, using=alias, verbosity=0)
    config.models_module = None


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_delivery_and_tax_roles"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("payments", "0001_initial"),
    ]

    operations = [migrations.RunPython(extend_groups, migrations.RunPython.noop)]

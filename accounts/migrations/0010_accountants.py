"""The group of those who do the accounts: they export orders, and see nothing else.

It runs once, as `0002_roles`: a group that is renamed or deleted stays as it is.
"""

from typing import Any

from django.contrib.auth.management import create_permissions
from django.db import migrations

NAME = "Accountants"
CODENAME = "export_order"


def make_group(apps: Any, schema_editor: Any) -> None:
    alias = schema_editor.connection.alias
    _create_permissions(apps, "orders", alias)
    group, is_new = apps.get_model("auth", "Group").objects.using(alias).get_or_create(name=NAME)
    if is_new:  # a shop may have made a group of that name, for what it needs
        Permission = apps.get_model("auth", "Permission")
        group.permissions.add(
            *Permission.objects.using(alias).filter(content_type__app_label="orders", codename=CODENAME)
        )


def _create_permissions(apps: Any, label: str, alias: str) -> None:
    config = apps.get_app_config(label)
    config.models_module = True  # an app of the past has none, and would be passed over
    create_permissions(config, apps=apps, using=alias, verbosity=0)
    config.models_module = None


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0009_sign_in_networks"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("orders", "0006_export_permission"),
    ]

    operations = [migrations.RunPython(make_group, migrations.RunPython.noop)]

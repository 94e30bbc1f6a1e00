"""What the staff's groups may do with delivery methods and tax rates.

It runs once, as `0002_roles`: a group that was renamed or deleted stays as it is.
"""

from typing import Any

from django.contrib.auth.management import create_permissions
from django.db import migrations

READ = ("view",)
ALL = ("view", "add", "change", "delete")

MODELS = (("delivery", "deliverymethod"), ("taxes", "taxrate"))
ROLES = {"Catalogue managers": ALL, "Order desk": READ, "Support": READ}


def extend_groups(apps: Any, schema_editor: Any) -> None:
    alias = schema_editor.connection.alias
    Permission = apps.get_model("auth", "Permission")
    for label, model in MODELS:
        _create_permissions(apps, label, alias)
        for group in apps.get_model("auth", "Group").objects.using(alias).filter(name__in=ROLES):
            codenames = [f"{action}_{model}" for action in ROLES[group.name]]
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
        ("accounts", "0006_addresses"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("delivery", "0001_initial"),
        ("taxes", "0001_initial"),
    ]

    operations = [migrations.RunPython(extend_groups, migrations.RunPython.noop)]

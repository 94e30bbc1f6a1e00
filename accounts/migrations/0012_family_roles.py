"""Who may see and change families: catalogue managers may do everything, and support may look.

It runs once, as `0002_roles`: a group that was renamed or deleted stays as it is.
"""

from typing import Any

from django.contrib.auth.management import create_permissions
from django.db import migrations

ALL = ("view", "add", "change", "delete")
ROLES = {"Catalogue managers": ALL, "Order desk": ("view",), "Support": ("view",)}


def extend_groups(apps: Any, schema_editor: Any) -> None:
    alias = schema_editor.connection.alias
    config = apps.get_app_config("products")
    config.models_module = True  # an app of the past has none, and would be passed over
    create_permissions(config, apps=apps, using=alias, verbosity=0)
    config.models_module = None
    permissions = apps.get_model("auth", "Permission").objects.using(alias)
    for group in apps.get_model("auth", "Group").objects.using(alias).filter(name__in=ROLES):
        codenames = [f"{action}_family" for action in ROLES[group.name]]
        group.permissions.add(*permissions.filter(content_type__app_label="products", codename__in=codenames))


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0011_history_roles"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("products", "0012_families"),
    ]

    operations = [migrations.RunPython(extend_groups, migrations.RunPython.noop)]

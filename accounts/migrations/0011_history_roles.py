"""Who may see the list of changes: catalogue managers, of what they manage.

It runs once, as `0002_roles`: a group that was renamed or deleted stays as it is.
"""

from typing import Any

from django.contrib.auth.management import create_permissions
from django.db import migrations

ROLES = ("Catalogue managers",)


def extend_groups(apps: Any, schema_editor: Any) -> None:
    alias = schema_editor.connection.alias
    _create_permissions(apps, "backoffice", alias)
    Permission = apps.get_model("auth", "Permission")
    found = Permission.objects.using(alias).filter(content_type__app_label="backoffice", codename="view_change")
    for group in apps.get_model("auth", "Group").objects.using(alias).filter(name__in=ROLES):
        group.permissions.add(*found)


def _create_permissions(apps: Any, label: str, alias: str) -> None:
    config = apps.get_app_config(label)
    config.models_module = True  # an app of the past has none, and would be passed over
    create_permissions(config, apps=apps, using=alias, verbosity=0)
    config.models_module = None


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0010_accountants"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("backoffice", "0002_changes"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(extend_groups, migrations.RunPython.noop)]

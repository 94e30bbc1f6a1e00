"""Who may see the list of changes and the stock movements: catalogue managers, of what they manage.

It runs once, as `0002_roles`: a group that was renamed or deleted stays as it is.
"""

from typing import Any

from django.contrib.auth.management import create_permissions
from django.db import migrations

ROLES = ("Catalogue managers",)
SEEN = {"backoffice": "view_change", "products": "view_stockmovement"}


def extend_groups(apps: Any, schema_editor: Any) -> None:
    alias = schema_editor.connection.alias
    Permission = apps.get_model("auth", "Permission")
    groups = list(apps.get_model("auth", "Group").objects.using(alias).filter(name__in=ROLES))
    for label, codename in SEEN.items():
        _create_permissions(apps, label, alias)
        for group in groups:
            group.permissions.add(
                *Permission.objects.using(alias).filter(content_type__app_label=label, codename=codename)
            )


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
        ("products", "0001_initial"),
    ]

    operations = [migrations.RunPython(extend_groups, migrations.RunPython.noop)]

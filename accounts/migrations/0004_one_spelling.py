"""Each e-mail address in its one spelling, and user names by the present rule."""

from typing import Any

from django.db import migrations

import accounts.naming
import productbackend.text.addresses
import productbackend.database.fields
from productbackend.text.addresses import canonical_address

SLICE = 1_000
SHOWN = 20


def respell(apps: Any, schema_editor: Any) -> None:
    """Row by row, while the shop works. An address that another account has in its one spelling stays as it is."""
    users = apps.get_model("accounts", "User").objects.using(schema_editor.connection.alias)
    clashing: list[int] = []
    last = 0
    while batch := list(users.filter(pk__gt=last).order_by("pk").values_list("pk", "email", "pending_email")[:SLICE]):
        for pk, email, pending in batch:
            if pending and pending != canonical_address(pending):
                users.filter(pk=pk, pending_email=pending).update(pending_email=canonical_address(pending))
            if not email or email == canonical_address(email):
                continue
            if users.filter(email=canonical_address(email)).exists():
                clashing.append(pk)
            else:
                users.filter(pk=pk, email=email).update(email=canonical_address(email))
        last = batch[-1][0]
    if clashing:
        shown = ", ".join(map(str, clashing[:SHOWN])) + (" ..." if len(clashing) > SHOWN else "")
        print(
            f"\n    {len(clashing)} accounts have the mailbox of another one, in another spelling. They sign in by user "
            f"name; give them another address. Ids: {shown}",
            end="",
            flush=True,
        )


def address(*args: Any, **kwargs: Any) -> productbackend.database.fields.KeyField:
    validators = [productbackend.text.addresses.validate_address]
    return productbackend.database.fields.KeyField(
        *args, blank=True, max_length=254, null=True, validators=validators, **kwargs
    )


class Migration(migrations.Migration):

    atomic = False
    dependencies = [("accounts", "0003_address_changes")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(respell, migrations.RunPython.noop)],
            state_operations=[
                migrations.AlterField(
                    "user",
                    "username",
                    productbackend.database.fields.KeyField(
                        error_messages={"unique": "This name is taken."},
                        max_length=150,
                        unique=True,
                        validators=[accounts.naming.validate_username],
                    ),
                ),
                migrations.AlterField(
                    "user",
                    "email",
                    address("e-mail address", error_messages={"unique": "This address is taken."}, unique=True),
                ),
                migrations.AlterField("user", "pending_email", address()),
            ],
        ),
    ]

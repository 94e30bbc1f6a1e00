"""Permissions of every role for every path and method. A rejected request changes nothing."""

import importlib
import re
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.urls import reverse

from orders.models import Order
from tests.accounts.roles import GROUPS, GUEST_ROLES, GUEST_TABLE, ROLES, TABLE, World
from tests.openapi import DOCUMENT
from tests.rolling_back import rolled_back

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]

METHODS = ["get", "post", "put", "patch", "delete"]
WATCHED = [
    model
    for label in (
        "accounts",
        "backoffice",
        "carts",
        "delivery",
        "orders",
        "outbox",
        "payments",
        "products",
        "taxes",
        "token_blacklist",
    )
    for model in apps.get_app_config(label).get_models()
    if not model._meta.proxy
]
# Paths and bodies that name the owner's objects: only with these may a success change the owner's rows.
NAMES_THE_OWNERS = re.compile(r"{(product|cart|item|order)}|/token/|/confirm/")

CLOSING = "delete /account/"  # the history has who was staff, and no customer

UNKNOWN = count()
Rows = dict[tuple[str, Any], tuple[Any, ...]]


@pytest.fixture
def groups(db: Any) -> Any:
    """Return a function that creates the groups as the migration does."""
    migration = importlib.import_module("accounts.migrations.0002_roles")

    def make() -> None:
        migration.make_groups(apps, SimpleNamespace(connection=connection))

    if Group.objects.count() < len(GROUPS):  # flushed by a transactional test
        make()
        for name in ("0007_delivery_and_tax_roles", "0008_payment_roles", "0011_history_roles"):
            extension = importlib.import_module(f"accounts.migrations.{name}")
            extension.extend_groups(apps, SimpleNamespace(connection=connection))
        accountants = importlib.import_module("accounts.migrations.0010_accountants")
        accountants.make_group(apps, SimpleNamespace(connection=connection))
    return make


@pytest.fixture
def world(groups: Any, settings: Any, tmp_path: Path) -> World:
    settings.MEDIA_ROOT = tmp_path
    settings.GUEST_CHECKOUT = True
    return World()


def test_accountants_export_orders_and_may_nothing_else_that_customers_may_not(
    world: World, subtests: pytest.Subtests
) -> None:
    """Their status is that of another customer for each path of both tables but one."""
    tables = [(ROLES, row) for row in TABLE] + [(GUEST_ROLES, row) for row in GUEST_TABLE]
    exported = 0
    for roles, (request_line, body, statuses, _) in tables:
        method, path = request_line.split()
        expected = (statuses.split() * len(roles))[roles.index("other")][:3]
        if path == "/exports/orders/":
            expected, exported = "200", exported + 1
        with subtests.test(request_line), rolled_back():
            assert send(world, "accountants", method, path, body) == int(expected)
    assert exported == 1


def written() -> int:
    """Return the number of rows that this connection wrote, with cascades; a new number on other databases."""
    inner: Any = connection.connection
    return int(inner.total_changes) if connection.vendor == "sqlite" else next(UNKNOWN)


def rows() -> Rows:
    """Every row of the watched tables; in SQL, since building these queries takes longer than the tested request."""
    found: Rows = {}
    with connection.cursor() as cursor:
        for model in WATCHED:
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(model._meta.db_table)}")
            key = [column[0] for column in cursor.description].index(model._meta.pk.column)
            found |= {(model.__name__, row[key]): row for row in cursor.fetchall()}
    return found


def changed(before: Rows, after: Rows) -> set[tuple[str, Any]]:
    return {key for key in before | after if before.get(key) != after.get(key)}


def belonging_to_the_owner(world: World) -> set[tuple[str, Any]]:
    names = world.names
    return {("User", world.users["owner"].pk), ("Cart", names["cart"]), ("CartItem", names["item"])}


def send(world: World, role: str, method: str, path: str, body: Any = None) -> int:
    body = body(world) if callable(body) else body
    form = {"format": "multipart"} if body and body.keys() & {"image", "file"} else {}
    client = world.client(role)
    response = getattr(client, method)(path.format(**world.names), body, **form)
    if hasattr(response, "streaming_content"):
        b"".join(response.streaming_content)  # reading to the end closes the file
    return int(response.status_code)


BOTH = [(ROLES, *row) for row in TABLE] + [(GUEST_ROLES, *row) for row in GUEST_TABLE]
RESOURCES: dict[str, list[int]] = {}
for number, row in enumerate(BOTH):
    RESOURCES.setdefault(row[1].split("/")[1], []).append(number)


@pytest.mark.parametrize("numbers", RESOURCES.values(), ids=[name or "root" for name in RESOURCES])
def test_the_table_of_roles(world: World, numbers: list[int], subtests: pytest.Subtests) -> None:
    """The rows of one resource share a world, since each request is rolled back."""
    before = rows()
    for number in numbers:
        with subtests.test(f"{number} {BOTH[number][1]}"):
            check_row(world, before, *BOTH[number])
    assert changed(before, rows()) == set()


def check_row(
    world: World, before: Rows, roles: list[str], request_line: str, body: Any, statuses: str, models: str
) -> None:
    method, path = request_line.split()
    may_change = set(models.split())
    expected = dict(zip(roles, (statuses.split() * len(roles))[: len(roles)], strict=True))
    for role, status in expected.items():
        with rolled_back():
            writes = written()
            assert (role, send(world, role, method, path, body)) == (role, int(status[:3]))
            touched = changed(before, rows()) if written() != writes else set()
        changes = status in ("200", "201", "202", "204") and bool(may_change)
        assert (role, bool(touched)) == (role, changes)
        assert {model for model, _ in touched} <= may_change
        if changes and request_line != CLOSING:
            assert (role, "Change" in may_change) == (role, any(model == "Change" for model, _ in touched))
        if role != "owner" and not NAMES_THE_OWNERS.search(path):
            assert not touched & belonging_to_the_owner(world)


def normal(path: str) -> str:
    return re.sub(r"{\w+}", "{}", path.partition("?")[0])


def test_the_table_names_every_path_and_method() -> None:
    documented = {
        (method, normal(path)) for path, methods in DOCUMENT["paths"].items() for method in methods if method in METHODS
    }
    assert documented == {(method, normal(path)) for method, path in (row[0].split() for row in TABLE)}


@pytest.mark.parametrize("role", ["anonymous", "owner", "superuser"])
def test_undocumented_methods_change_nothing(world: World, role: str) -> None:
    """The other roles have a part of the superuser's permissions."""
    table = {(method, normal(path)): path for method, path in (row[0].split() for row in TABLE)}
    before = rows()
    for path in sorted(set(table.values())):
        for method in METHODS:
            if (method, normal(path)) not in table:
                assert send(world, role, method, path, {}) in (401, 403, 404, 405), (method, path)
    assert changed(before, rows()) == set()


@pytest.mark.parametrize(
    ("path", "seeing"),
    [
        ("/carts/", {"owner", "desk", "support", "superuser"}),
        ("/cart-items/", {"owner", "desk", "support", "superuser"}),
        ("/orders/", {"owner", "desk", "support", "superuser"}),
    ],
)
def test_lists_contain_what_the_role_may_see(world: World, path: str, seeing: set[str]) -> None:
    seen = {role for role in ROLES[1:] if world.client(role).get(path).json()["results"]}
    assert seen == seeing


# Model -> role -> permitted admin pages: view, add, change, delete. Other roles get 403.
ADMIN = {
    "accounts.user": {"support": "v"},
    "products.category": {"managers": "vacd", "support": "v"},
    "products.product": {"managers": "vacd", "desk": "v", "support": "v"},
    "products.family": {"managers": "vacd", "desk": "v", "support": "v"},
    "products.stockmovement": {"managers": "v"},
    "delivery.deliverymethod": {"managers": "vacd", "desk": "v", "support": "v"},
    "taxes.taxrate": {"managers": "vacd", "desk": "v", "support": "v"},
    "carts.cart": {"desk": "vc", "support": "v"},
    "orders.order": {"desk": "v", "support": "v"},  # changed by actions only
    "payments.payment": {"desk": "v", "support": "v"},
    "payments.moneymovement": {"desk": "v", "support": "v"},  # added by the pages of an order only
    "payments.providerevent": {"desk": "v", "support": "v"},
    "outbox.mail": {"support": "v"},
    "auth.group": {},
    "backoffice.change": {"managers": "v"},
}


@pytest.mark.parametrize("role", list(GROUPS))
def test_the_admin_obeys_the_same_permissions(world: World, role: str, subtests: pytest.Subtests) -> None:
    """All models share a world: no page that is opened or refused changes anything."""
    client = Client()
    client.force_login(world.users[role])
    before = rows()
    for model, permissions in ADMIN.items():
        with subtests.test(model):
            check_admin(client, model, permissions.get(role, ""))
    assert changed(before, rows()) == set()


def check_admin(client: Client, model: str, may: str) -> None:
    row = apps.get_model(model).objects.order_by("pk").first()

    def status(page: str, *arguments: Any) -> int:
        return client.get(reverse(f"admin:{model.replace('.', '_')}_{page}", args=arguments)).status_code

    assert status("changelist") == (200 if "v" in may else 403)
    assert status("change", row.pk) == (200 if "v" in may else 403)
    assert status("add") == (200 if "a" in may else 403)
    assert status("delete", row.pk) == (200 if "d" in may else 403)
    if "c" not in may:
        path = reverse(f"admin:{model.replace('.', '_')}_change", args=[row.pk])
        assert client.post(path, {"name": "Mine"}).status_code == 403


@pytest.mark.parametrize("role", ["anonymous", "owner"])
def test_the_admin_is_closed_to_customers(world: World, role: str) -> None:
    client = Client()
    if role != "anonymous":
        client.force_login(world.users[role])
    for model in ADMIN:
        assert client.get(reverse(f"admin:{model.replace('.', '_')}_changelist")).status_code == 302


@pytest.mark.parametrize(("role", "status"), [("desk", "fulfilled"), ("support", "paid"), ("managers", "paid")])
def test_only_the_order_desk_fulfils_orders_in_the_admin(world: World, role: str, status: str) -> None:
    client = Client()
    client.force_login(world.users[role])
    order = Order.objects.get(number=world.names["order"])
    action = {"action": "fulfil", "_selected_action": [order.pk], "post": "yes"}
    client.post(reverse("admin:orders_order_changelist"), action)
    order.refresh_from_db()
    assert order.status == status


def test_a_group_without_is_staff_has_no_permissions(world: World) -> None:
    user = world.users["managers"]
    user.is_staff = False
    user.save(update_fields=["is_staff"])
    assert send(world, "managers", "delete", "/products/{product}/") == 403


def test_changed_group_permissions_are_not_overwritten(groups: Any) -> None:
    support = Group.objects.get(name="Support")
    support.permissions.clear()
    groups()
    assert not support.permissions.exists()
    assert Group.objects.count() == len(GROUPS)

"""Who may do what: every path, every method, every role; and that nothing changes where it may not."""

import importlib
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from django.apps import apps
from django.conf import settings as shop
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from orders.models import Order
from tests.accounts.roles import GROUPS, ROLES, TABLE, World

pytestmark = pytest.mark.django_db

METHODS = ["get", "post", "put", "patch", "delete"]
WATCHED = [
    model
    for label in ("accounts", "carts", "orders", "outbox", "products", "token_blacklist")
    for model in apps.get_app_config(label).get_models()
]
# Paths and bodies that name what is the owner's: of these alone a success may change the owner's rows.
NAMES_THE_OWNERS = re.compile(r"{(product|cart|item|order)}|/token/|/confirm/")

Rows = dict[tuple[str, Any], tuple[Any, ...]]


@pytest.fixture
def groups(db: Any) -> Any:
    """Makes the groups, as the migration does."""
    migration = importlib.import_module("accounts.migrations.0002_roles")

    def make() -> None:
        migration.make_groups(apps, SimpleNamespace(connection=connection))

    if Group.objects.count() < len(GROUPS):  # a test that commits has flushed them
        make()
    return make


@pytest.fixture
def world(groups: Any, settings: Any, tmp_path: Path) -> World:
    settings.MEDIA_ROOT = tmp_path
    return World()


def rows() -> Rows:
    found: Rows = {}
    for model in WATCHED:
        names = [field.attname for field in model._meta.concrete_fields]
        for row in model._default_manager.order_by("pk").values_list("pk", *names):
            found[model.__name__, row[0]] = row
    return found


def changed(before: Rows, after: Rows) -> set[tuple[str, Any]]:
    return {key for key in before | after if before.get(key) != after.get(key)}


def belonging_to_the_owner(world: World) -> set[tuple[str, Any]]:
    names = world.names
    return {("User", world.users["owner"].pk), ("Cart", names["cart"]), ("CartItem", names["item"])}


def send(world: World, role: str, method: str, path: str, body: Any = None) -> int:
    body = body(world) if callable(body) else body
    form = {"format": "multipart"} if body and "image" in body else {}
    client = world.client(role)
    answer = getattr(client, method)(path.format(**world.names), body, **form)
    if hasattr(answer, "streaming_content"):
        b"".join(answer.streaming_content)  # read to its end it closes its file
    return int(answer.status_code)


@pytest.mark.parametrize(
    ("request_line", "body", "statuses", "models"),
    TABLE,
    ids=[f"{number} {row[0]}" for number, row in enumerate(TABLE)],
)
def test_the_table_of_roles(world: World, request_line: str, body: Any, statuses: str, models: str) -> None:
    method, path = request_line.split()
    before, may_change = rows(), set(models.split())
    expected = dict(zip(ROLES, (statuses.split() * len(ROLES))[: len(ROLES)], strict=True))
    for role, status in expected.items():
        with transaction.atomic():
            assert (role, send(world, role, method, path, body)) == (role, int(status[:3]))
            touched = changed(before, rows())
            transaction.set_rollback(True)
        cache.clear()
        changes = status in ("200", "201", "202", "204") and bool(may_change)
        assert (role, bool(touched)) == (role, changes)
        assert {model for model, _ in touched} <= may_change
        if role != "owner" and not NAMES_THE_OWNERS.search(path):
            assert not touched & belonging_to_the_owner(world)


def normal(path: str) -> str:
    return re.sub(r"{\w+}", "{}", path)


def test_the_table_names_every_path_and_method() -> None:
    document = yaml.safe_load((shop.BASE_DIR / "openapi.yml").read_text())
    documented = {
        (method, normal(path)) for path, methods in document["paths"].items() for method in methods if method in METHODS
    }
    assert documented == {(method, normal(path)) for method, path in (row[0].split() for row in TABLE)}


@pytest.mark.parametrize("role", ROLES)
def test_methods_that_a_path_does_not_have_change_nothing(world: World, role: str) -> None:
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
def test_lists_hold_what_the_role_may_see(world: World, path: str, seeing: set[str]) -> None:
    seen = {role for role in ROLES[1:] if world.client(role).get(path).json()["results"]}
    assert seen == seeing


# Model -> role -> what its pages in the admin let it do: view, add, change, delete. To others they are closed.
ADMIN = {
    "accounts.user": {"support": "v"},
    "products.category": {"managers": "vacd", "support": "v"},
    "products.product": {"managers": "vacd", "desk": "v", "support": "v"},
    "products.stockmovement": {},
    "carts.cart": {"desk": "vc", "support": "v"},
    "orders.order": {"desk": "v", "support": "v"},  # moved on by actions, and edited by nobody
    "outbox.mail": {"support": "v"},
    "auth.group": {},
}


@pytest.mark.parametrize("role", list(GROUPS))
@pytest.mark.parametrize("model", ADMIN)
def test_the_admin_obeys_the_same_permissions(world: World, model: str, role: str) -> None:
    may = ADMIN[model].get(role, "")
    client = Client()
    client.force_login(world.users[role])
    row = apps.get_model(model).objects.order_by("pk").first()
    before = rows()

    def status(page: str, *arguments: Any) -> int:
        return client.get(reverse(f"admin:{model.replace('.', '_')}_{page}", args=arguments)).status_code

    assert status("changelist") == (200 if "v" in may else 403)
    assert status("change", row.pk) == (200 if "v" in may else 403)
    assert status("add") == (200 if "a" in may else 403)
    assert status("delete", row.pk) == (200 if "d" in may else 403)
    if "c" not in may:
        path = reverse(f"admin:{model.replace('.', '_')}_change", args=[row.pk])
        assert client.post(path, {"name": "Mine"}).status_code == 403
    assert changed(before, rows()) == set()


@pytest.mark.parametrize("role", ["anonymous", "owner"])
def test_the_admin_is_closed_to_customers(world: World, role: str) -> None:
    client = Client()
    if role != "anonymous":
        client.force_login(world.users[role])
    for model in ADMIN:
        assert client.get(reverse(f"admin:{model.replace('.', '_')}_changelist")).status_code == 302


@pytest.mark.parametrize(("role", "status"), [("desk", "fulfilled"), ("support", "paid"), ("managers", "paid")])
def test_orders_are_moved_on_in_the_admin_by_the_desk_alone(world: World, role: str, status: str) -> None:
    client = Client()
    client.force_login(world.users[role])
    order = Order.objects.get(number=world.names["order"])
    client.post(reverse("admin:orders_order_changelist"), {"action": "fulfil", "_selected_action": [order.pk]})
    order.refresh_from_db()
    assert order.status == status


def test_a_group_without_staff_may_nothing(world: World) -> None:
    user = world.users["managers"]
    user.is_staff = False
    user.save(update_fields=["is_staff"])
    assert send(world, "managers", "delete", "/products/{product}/") == 403


def test_what_staff_make_of_a_group_stays(groups: Any) -> None:
    support = Group.objects.get(name="Support")
    support.permissions.clear()
    groups()
    assert not support.permissions.exists()
    assert Group.objects.count() == 3

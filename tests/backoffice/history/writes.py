"""Every way in which staff write what the history records, with the changes that it leaves."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from io import StringIO
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.db.models import F
from django.test import Client
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from accounts.models import User
from productbackend.observability.context import TaskContext, current_context
from productbackend.observability.origin import Way, acting
from products.models import Product
from taxes.models import TaxRate
from tests import factories
from tests.signing_in import client_of
from tests.site.pages import url


class Shop:
    """One object of each kind, and a superuser who signs in to the admin and to the API."""

    def __init__(self) -> None:
        self.boss = factories.user("stella", is_staff=True, is_superuser=True)
        self.api, self.admin = client_of(self.boss), Client()
        self.admin.force_login(self.boss)
        self.category = factories.category("Shoes")
        self.boots = factories.category("Boots", parent=self.category)
        self.product = factories.product("Red shoe", category=self.category)
        self.method, self.rate = factories.delivery_method(), factories.tax_rate()
        self.user, self.group = factories.user("carla"), Group.objects.create(name="Helpers")
        every = IntervalSchedule.objects.create(every=7, period="minutes")
        self.job = PeriodicTask.objects.create(name="count", task="products.tasks.sweep", interval=every)

    def save(self, model: str, pk: int, **changed: Any) -> None:
        """Submit the form of the admin as it is shown, with some fields changed."""
        page = self.admin.get(url(model, "change", pk))
        forms = [page.context["adminform"].form]
        for inline in page.context["inline_admin_formsets"]:
            forms += [inline.formset.management_form, *inline.formset.initial_forms]
        data = {field.html_name: field.value() for form in forms for field in form}
        data |= {name: 0 for name in data if name.endswith("-TOTAL_FORMS")}  # without the empty row
        data |= {f"initial-{name}": value for name, value in data.items()} | changed
        data = {name: value for name, value in data.items() if value is not None and value is not False}
        answer = self.admin.post(url(model, "change", pk), data)
        assert answer.status_code == 302, answer.context["errors"].data


@dataclass(frozen=True)
class Case:
    write: Callable[[Shop], Any]
    way: Way
    expected: Callable[[Shop], list[tuple[str, str, dict[str, Any]]]]


def api(method: str, path: str, body: Any = None) -> Callable[[Shop], Any]:
    def send(shop: Shop) -> None:
        answer = getattr(shop.api, method)(path.format(**vars(shop)), body, format="json")
        assert answer.status_code < 300, answer.content

    return send


def change(kind: str, **fields: Any) -> Callable[[Shop], list[tuple[str, str, dict[str, Any]]]]:
    return lambda shop: [(kind, "changed", {name: list(pair) for name, pair in fields.items()})]


def command(name: str, *arguments: str, **options: Any) -> Callable[[Shop], Any]:
    return lambda shop: call_command(name, *arguments, stdout=StringIO(), **options)


def action(model: str, name: str) -> Callable[[Shop], Any]:
    def run(shop: Shop) -> None:
        row = {"django_celery_beat.periodictask": shop.job, "taxes.taxrate": shop.rate}[model]
        shop.admin.post(url(model, "changelist"), {"action": name, "_selected_action": [row.pk], "post": "yes"})

    return run


SUPERUSER = [("accounts.user", "created", {name: [None, "true"] for name in ("is_active", "is_staff", "is_superuser")})]
METHOD_CREATED = {
    "code": [None, "courier"], "name": [None, "Courier"], "price": [None, "0.00"], "needs_address": [None, "true"],
    "tax_class": [None, "standard"], "is_active": [None, "true"], "position": [None, "0"],
}  # fmt: skip
RATE = {"country": "DE", "tax_class": "standard", "rate": "19.0000"}
RATE_DELETED = {name: [value, None] for name, value in (RATE | {"valid_from": "2020-01-01"}).items()}
LABEL = "products.product"
PRICE = change(LABEL, price=("19.90", "17.50"))
JOB = "django_celery_beat.periodictask"


def set_and_save(row: Any, **fields: Any) -> None:
    for name, value in fields.items():
        setattr(row, name, value)
    row.save()


def bulk_update(shop: Shop) -> None:
    shop.product.price = Decimal("17.50")
    Product.objects.bulk_update([shop.product], ["price"])


def join_and_leave(shop: Shop) -> None:
    shop.user.groups.add(shop.group)
    shop.group.user_set.clear()


def from_a_task(shop: Shop) -> None:
    token = current_context.set(TaskContext("r1", task="tests.reprice", sent_by=shop.boss.pk))
    Product.objects.update(price="17.50")
    current_context.reset(token)


def from_an_import(shop: Shop) -> None:
    with acting(Way.IMPORT, user_id=shop.boss.pk, source="prices.csv"):
        Product.objects.update(price="17.50")


CASES: dict[str, Case] = {
    "API: PATCH of a product": Case(api("patch", "/products/{product.pk}/", {"price": "17.50"}), Way.API, PRICE),
    "API: a product is moved and hidden": Case(
        lambda shop: api("patch", "/products/{product.pk}/", {"category": shop.boots.pk, "is_active": False})(shop),
        Way.API,
        lambda shop: change(LABEL, category=(str(shop.category.pk), str(shop.boots.pk)), is_active=("true", "false"))(
            shop
        ),
    ),
    "API: the same values": Case(
        api("patch", "/products/{product.pk}/", {"price": "19.9", "name": "Red shoe"}), Way.API, lambda shop: []
    ),
    "API: the stock has a ledger": Case(
        api("patch", "/products/{product.pk}/", {"quantity": 3}), Way.API, lambda shop: []
    ),
    "API: a category is renamed": Case(
        api("patch", "/categories/{boots.pk}/", {"name": "High boots", "parent": None}),
        Way.API,
        lambda shop: change("products.category", name=("Boots", "High boots"), parent=(str(shop.category.pk), None))(
            shop
        ),
    ),
    "API: POST of a method": Case(
        api("post", "/delivery-methods/", {"code": "courier", "name": "Courier"}),
        Way.API,
        lambda shop: [("delivery.deliverymethod", "created", METHOD_CREATED)],
    ),
    "API: PATCH of a method": Case(
        api("patch", "/delivery-methods/{method.pk}/", {"countries": ["DE", "AT"], "free_from": "50"}),
        Way.API,
        change("delivery.deliverymethod", free_from=(None, "50.00"), countries=("", "DE, AT")),
    ),
    "API: PATCH of a rate": Case(
        api("patch", "/tax-rates/{rate.pk}/", {"rate": "7"}),
        Way.API,
        change("taxes.taxrate", rate=("19.0000", "7.0000")),
    ),
    "API: DELETE of a rate": Case(
        api("delete", "/tax-rates/{rate.pk}/"), Way.API, lambda shop: [("taxes.taxrate", "deleted", RATE_DELETED)]
    ),
    "admin: the form of a product": Case(
        lambda shop: shop.save(LABEL, shop.product.pk, price="17.50", quantity=4), Way.ADMIN, PRICE
    ),
    "admin: the form of a category": Case(
        lambda shop: shop.save("products.category", shop.boots.pk, position=3),
        Way.ADMIN,
        change("products.category", position=("0", "3")),
    ),
    "admin: the form of a method": Case(
        lambda shop: shop.save("delivery.deliverymethod", shop.method.pk, price="5"),
        Way.ADMIN,
        change("delivery.deliverymethod", price=("4.90", "5.00")),
    ),
    "admin: the form of a rate": Case(
        lambda shop: shop.save("taxes.taxrate", shop.rate.pk, valid_from="2021-01-01"),
        Way.ADMIN,
        change("taxes.taxrate", valid_from=("2020-01-01", "2021-01-01")),
    ),
    "admin: rates are deleted by an action": Case(
        action("taxes.taxrate", "delete_selected"),
        Way.ADMIN,
        lambda shop: [("taxes.taxrate", "deleted", RATE_DELETED)],
    ),
    "admin: a customer becomes staff with a group": Case(
        lambda shop: shop.save("accounts.user", shop.user.pk, is_staff="on", groups=[shop.group.pk]),
        Way.ADMIN,
        lambda shop: [
            ("accounts.user", "changed", {"is_staff": ["false", "true"]}),
            ("accounts.user", "changed", {"groups added": [None, "Helpers"]}),
        ],
    ),
    "admin: the permissions of a group": Case(
        lambda shop: shop.save(
            "auth.group", shop.group.pk, permissions=[Permission.objects.get(codename="view_order").pk]
        ),
        Way.ADMIN,
        change("auth.group", **{"permissions added": (None, "orders.view_order")}),
    ),
    "admin: jobs are disabled by an action": Case(
        action(JOB, "disable_tasks"), Way.ADMIN, change(JOB, enabled=("true", "false"))
    ),
    "admin: jobs are toggled by an action": Case(
        action(JOB, "toggle_tasks"), Way.ADMIN, change(JOB, enabled=("true", "false"))
    ),
    "admin: the arguments of a job, which may hold a secret": Case(
        lambda shop: shop.save(JOB, shop.job.pk, kwargs='{"token": "s3cret"}', args="[]"),
        Way.ADMIN,
        change(JOB, kwargs=("(not recorded)", "(not recorded)")),
    ),
    "admin: the schedule that jobs share": Case(
        lambda shop: shop.save("django_celery_beat.intervalschedule", shop.job.interval_id, every="9"),
        Way.ADMIN,
        change("django_celery_beat.intervalschedule", every=("7", "9")),
    ),
    "command: createsuperuser": Case(
        command("createsuperuser", "--noinput", username="anna", email="anna@example.com"),
        Way.COMMAND,
        lambda shop: SUPERUSER,
    ),
    "command: ensure_superuser": Case(command("ensure_superuser"), Way.COMMAND, lambda shop: SUPERUSER),
    "command: the demo is nobody's change": Case(
        command("demo", products=3, pictures=0, verbosity=0), Way.COMMAND, lambda shop: []
    ),
    "shell: update": Case(lambda shop: Product.objects.update(price=F("price") - Decimal("2.40")), Way.COMMAND, PRICE),
    "shell: update without invalidation": Case(
        lambda shop: Product.objects.filter(price="19.90").update_without_invalidation(price="17.50"),
        Way.COMMAND,
        PRICE,
    ),
    "shell: bulk_update": Case(bulk_update, Way.COMMAND, PRICE),
    "shell: an expression": Case(
        lambda shop: set_and_save(shop.product, price=F("price") - Decimal("2.40")), Way.COMMAND, PRICE
    ),
    "shell: bulk_create": Case(
        lambda shop: TaxRate.objects.bulk_create([TaxRate(**RATE, valid_from=date(2021, 1, 1))]),
        Way.COMMAND,
        lambda shop: [
            ("taxes.taxrate", "created", {k: [None, v] for k, v in (RATE | {"valid_from": "2021-01-01"}).items()})
        ],
    ),
    "shell: roles by update": Case(
        lambda shop: User.objects.filter(pk=shop.user.pk).update(is_superuser=True),
        Way.COMMAND,
        change("accounts.user", is_superuser=("false", "true")),
    ),
    "shell: the members of a group": Case(
        lambda shop: shop.group.user_set.add(shop.user),
        Way.COMMAND,
        change("accounts.user", **{"groups added": (None, "Helpers")}),
    ),
    "shell: the last member leaves a group": Case(
        join_and_leave,
        Way.COMMAND,
        lambda shop: [
            ("accounts.user", "changed", {"groups added": [None, "Helpers"]}),
            ("accounts.user", "changed", {"groups removed": ["Helpers", None]}),
        ],
    ),
    "job: a task that a member of staff began": Case(from_a_task, Way.JOB, PRICE),
    "import: a file": Case(from_an_import, Way.IMPORT, PRICE),
    "a customer registers": Case(lambda shop: factories.user("otto"), Way.COMMAND, lambda shop: []),
}

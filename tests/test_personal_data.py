"""docs/retention.md lists every column; and nothing that an erased person typed is left in the database."""

import re
from datetime import timedelta

import pytest
import time_machine
from celery import current_app
from django.apps import apps
from django.conf import settings
from django.db import models
from django.utils import timezone
from rest_framework.test import APIClient

from orders.models import Order
from orders.tasks import anonymize_old_orders
from tests import factories
from tests.dumping import dump
from tests.orders.placed import place
from tests.payments.books import Books
from tests.payments.conftest import books as books
from tests.person import Person

PAGE = (settings.BASE_DIR / "docs" / "retention.md").read_text()
ROW = re.compile(r"^\| (\w+_\w+) \| ([\w, ]*)\| ([\w, ]*)\| ([\w, ]*)\|$", re.MULTILINE)
STORED = {
    model._meta.db_table: {str(field.column): field for field in model._meta.local_concrete_fields}
    for model in apps.get_models(include_auto_created=True)
    if not model._meta.proxy
}
LISTED = {
    table: [list(STORED[table]) if cell.strip() == "every column" else re.findall(r"\w+", cell) for cell in cells]
    for table, *cells in ROW.findall(PAGE)
}


def test_every_column_is_listed_once() -> None:
    listed = {table: sorted(column for cell in cells for column in cell) for table, cells in LISTED.items()}
    assert listed == {table: sorted(columns) for table, columns in STORED.items()}


@pytest.mark.django_db
def test_every_column_that_is_kept_by_law_is_erased_after_it(customer: APIClient) -> None:
    number = place("carla", (factories.product(), 1))
    kept = {table: cells[1] for table, cells in LISTED.items() if cells[1]}
    # Notes are deleted; see tests/payments for the others.
    assert set(kept) == {"orders_order", "orders_ordernote", "payments_payment", "payments_refund"}
    columns = {column: STORED["orders_order"][column] for column in kept["orders_order"]}
    texts = [field.name for field in columns.values() if isinstance(field, models.CharField)]
    assert len(texts) > 20
    country = {"shipping_country": "DE", "billing_country": "FR"}
    Order.objects.update(**dict.fromkeys(texts, "x"), **country, cart_snapshot={"email": "x"})
    with time_machine.travel(timezone.now() + timedelta(days=3661)):
        anonymize_old_orders()
    order = Order.objects.get(number=number)
    assert {getattr(order, field.attname) for field in columns.values()} == {"", None}
    assert Order.objects.values(*country).get() == country
    assert order.total > 0


@pytest.fixture
def person(with_guests: None, api: APIClient, staff: APIClient) -> Person:
    person = Person(api)
    person.live(staff)
    return person


def run_daily_jobs() -> None:
    current_app.loader.import_default_modules()
    jobs = [(task, when) for task, when in settings.BEAT_JOBS.values() if isinstance(when, dict)]
    for task, _ in sorted(jobs, key=lambda job: (int(job[1]["hour"]), int(job[1]["minute"]))):
        current_app.tasks[task]()


def found(typed: set[str]) -> dict[str, set[str]]:
    """The tables that contain what was typed, with what they contain."""
    hits = {table: {text for text in typed if text.casefold() in contents} for table, contents in dump().items()}
    return {table: texts for table, texts in hits.items() if texts}


@pytest.mark.django_db
def test_nothing_that_an_erased_person_typed_is_left(books: Books, person: Person) -> None:
    before = found(person.typed)
    assert set().union(*before.values()) == person.typed
    law = {"orders_order", "orders_ordernote", "payments_payment", "payments_refund"}
    assert {"accounts_user", "accounts_address", "carts_cart", "outbox_mail", *law} <= set(before)
    orders = Order.objects.values("number", "total", "shipping_country", "delivery_price", "created_at")
    sold = list(orders)
    person.close()
    closed = found(person.typed)
    assert set(closed) == {"outbox_mail", "carts_cart", *law}
    assert all("vergessen" in text.casefold() for text in closed["carts_cart"])  # of a guest
    with time_machine.travel(timezone.now() + timedelta(days=100)):
        run_daily_jobs()
        kept = found(person.typed)
        assert set(kept) == law
        assert not [text for text in kept["payments_payment"] if text.startswith("payment-of-")]
    for days in (3661, 3662):
        with time_machine.travel(timezone.now() + timedelta(days=days)):
            run_daily_jobs()
    assert found(person.typed) == {}
    assert list(orders) == sold


@pytest.mark.django_db
def test_what_is_left_would_be_found(person: Person) -> None:
    """In a column of text, in other case, and within JSON, which SQLite stores with escapes."""
    typed = person.typed | {"Žoë 🚲"}
    person.close()
    for days in (100, 3661, 3662):
        with time_machine.travel(timezone.now() + timedelta(days=days)):
            run_daily_jobs()
    factories.user("x", first_name="Žoë 🚲".upper())
    Order.objects.update(cart_snapshot={"notes": ["of Žoë 🚲"]})
    assert found(typed) == {"accounts_user": {"Žoë 🚲"}, "orders_order": {"Žoë 🚲"}}

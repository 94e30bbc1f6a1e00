"""Every way in which staff write a product, a category, a method, a rate, a role or a job leaves its changes."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import QuerySet
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from backoffice.history.models import Change
from delivery.models import DeliveryMethod
from productbackend.database.changes import unrecorded
from productbackend.observability.origin import Way, acting
from products.models import Category, Product
from tests import factories
from tests.accounts import phones
from tests.backoffice.history.replay import differences
from tests.backoffice.history.writes import CASES, JOB, LABEL, Shop, api, set_and_save
from tests.passwords import NEW_PASSWORD, PASSWORD
from tests.rolling_back import rolled_back
from tests.signing_in import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(db: Any) -> Shop:
    return Shop()


def recorded(after: int) -> list[tuple[str, str, dict[str, Any]]]:
    rows = Change.objects.filter(pk__gt=after).order_by("pk")
    return [(row.kind, row.action, row.fields) for row in rows]


def last() -> int:
    return Change.objects.order_by("pk").values_list("pk", flat=True).last() or 0


def test_each_way_of_writing_leaves_its_changes(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, subtests: pytest.Subtests
) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", NEW_PASSWORD)
    for name, case in CASES.items():
        with subtests.test(name), rolled_back():
            mark, expected = last(), case.expected(shop)
            case.write(_fresh(shop))
            assert recorded(mark) == expected
            new = Change.objects.filter(pk__gt=mark)
            assert {row.way for row in new} <= {case.way}
            who = None if case.way == Way.COMMAND else shop.boss.pk
            assert {row.user_id for row in new} <= {who}
            assert differences() == []


def _fresh(shop: Shop) -> Shop:
    """The shop with its objects read again: another case has changed them, and was rolled back."""
    for row in (shop.category, shop.boots, shop.product, shop.method, shop.rate, shop.user, shop.job):
        row.refresh_from_db()
    return shop


def test_a_change_says_what_where_from_and_when(shop: Shop) -> None:
    answer = shop.api.patch(f"/products/{shop.product.pk}/", {"name": "Blue shoe"})
    row = Change.objects.latest("pk")
    assert (row.kind, row.object_id, row.object_name) == (LABEL, shop.product.pk, "Blue shoe")
    assert row.source == answer["X-Request-ID"]
    with acting(Way.IMPORT, user_id=shop.boss.pk, source="prices.csv"):
        Product.objects.update(price="1.00")
    assert Change.objects.latest("pk").source == "prices.csv"


def test_what_is_rolled_back_is_not_recorded(shop: Shop) -> None:
    mark = last()

    def fail() -> None:
        with transaction.atomic():
            set_and_save(shop.product, price=Decimal("1.00"))
            Product.objects.update(name="Green shoe")
            shop.user.groups.add(shop.group)
            assert len(recorded(mark)) == 3
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    refused = shop.api.patch(f"/products/{shop.product.pk}/", {"price": "1.00"}, headers={"If-Match": '"old"'})
    assert (refused.status_code, recorded(mark)) == (412, [])


def test_no_secret_and_no_address_is_recorded(shop: Shop, client: Client) -> None:
    """What an account types and gets, while everything about it is written."""
    typed = {"username": "quast", "email": "quast@private.example", "password": PASSWORD, "repeat_password": PASSWORD}
    assert client.post("/register/", typed, content_type="application/json").status_code == 201
    user = User.objects.get(username="quast")
    own = client_of(user)
    assert own.patch("/account/", {"first_name": "Mathilda", "last_name": "Quast"}).status_code == 200
    changed = {"old_password": PASSWORD, "new_password": NEW_PASSWORD}
    assert own.post("/account/password/", changed).status_code == 204
    book = {"name": "Mathilda", "line1": "Hauptstraße 1", "city": "Berlin", "country": "DE", "postal_code": "10115"}
    assert client_of(User.objects.get(pk=user.pk)).post("/account/addresses/", book).status_code == 201
    phone = phones.phone_of(user)
    shop.save("accounts.user", user.pk, is_staff="on", is_superuser="on", first_name="Tilda")
    shop.save(JOB, shop.job.pk, kwargs='{"token": "s3cret"}', args="[]")
    user.refresh_from_db()
    secrets = {PASSWORD, NEW_PASSWORD, user.password, user.token_digest, phone.key, "s3cret"}
    secrets |= {"quast", "mathilda", "tilda", "hauptstraße", "10115", "private.example"}
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM backoffice_change")
        stored = repr(cursor.fetchall()).casefold()
    assert "accounts.user" in stored
    assert {text for text in secrets if text.casefold() in stored} == set()


def test_a_writer_that_records_nothing_is_found(shop: Shop) -> None:
    assert differences() == []
    QuerySet(DeliveryMethod).update(price="1.00")
    with unrecorded():
        Category.objects.filter(pk=shop.boots.pk).update(position=9)
    assert sorted(differences()) == [
        f"delivery.deliverymethod {shop.method.pk}: price",
        f"products.category {shop.boots.pk}: position",
    ]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/products/{product.pk}/", {"price": "17.50"}),
        ("/delivery-methods/{method.pk}/", {"price": "17.50"}),
        ("/tax-rates/{rate.pk}/", {"rate": "17"}),
        ("/categories/{boots.pk}/", {"position": 3}),
    ],
)
def test_a_recorded_change_takes_one_statement_more(shop: Shop, path: str, body: Any) -> None:
    counts = []
    for is_recorded in (False, True):
        with rolled_back(), CaptureQueriesContext(connection) as captured:
            if is_recorded:
                api("patch", path, body)(shop)
            else:
                with unrecorded():
                    api("patch", path, body)(shop)
        statements = [query["sql"] for query in captured]
        counts.append(len(statements))
        assert sum("backoffice_change" in sql for sql in statements) == is_recorded
    assert counts[1] == counts[0] + 1


def test_a_mass_update_is_recorded_by_few_statements(shop: Shop) -> None:
    for number in range(30):
        factories.product(f"Sock {number}")
    mark = last()
    with CaptureQueriesContext(connection) as captured:
        Product.objects.filter(name__startswith="Sock").update(price="1.00")
    assert len(recorded(mark)) == 30
    assert len([query for query in captured if "SAVEPOINT" not in query["sql"]]) == 4  # before, UPDATE, after, INSERT

"""Compiled statements write and read the same as Django's own."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, models, transaction
from django.db.models import DateTimeField, Exists, F, OuterRef, Subquery
from django.test.utils import CaptureQueriesContext
from django.utils.connection import ConnectionDoesNotExist

from orders.models import Order, OrderLine
from productbackend.database.statements import Insert, Overwrite, Select, SelectRows, Write, slot, slots
from products.models import Category, Product
from tests import factories

pytestmark = pytest.mark.django_db


def columns(row: models.Model) -> dict[str, Any]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def order(number: str, **fields: Any) -> Order:
    fields = {"total": Decimal("19.90"), "currency": "EUR", "cart_id": int(number), **fields}
    return Order(number=number, **fields)


def test_a_select_returns_what_its_queryset_does_with_each_value() -> None:
    select = Select(lambda: Product.objects.filter(pk=slot("pk"), is_active=True))
    for product in (
        factories.product("Boot", rating=4.5),
        factories.product("Shoe", description="Größe 42 \N{SNOWMAN}"),
    ):
        found = select.first(pk=product.pk)
        assert found is not None
        assert columns(found) == columns(Product.objects.get(pk=product.pk))
        found.name = "Renamed"
        found.save(update_fields={"name"})
        assert Product.objects.get(pk=product.pk).name == "Renamed"
    assert select.first(pk=0) is None


def test_a_select_returns_all_rows_in_its_order() -> None:
    select = Select(lambda: Product.objects.filter(category=slot("category")).order_by("-pk"))
    category = factories.category("Shoes")
    products = [factories.product(f"Shoe {number}", category=category) for number in range(3)]
    factories.product("Boot")
    assert select.all(category=category.pk) == products[::-1]
    assert select.all(category=0) == []


def test_a_select_has_its_annotations() -> None:
    children = Category.objects.filter(parent=OuterRef("pk"))
    select: Select[Category] = Select(
        lambda: Category.objects.annotate(is_parent=Exists(children)).filter(pk=slot("pk"))
    )
    parent = factories.category("Shoes")
    child = factories.category("Boots", parent=parent)
    found: Any = [select.first(pk=category.pk) for category in (parent, child)]
    assert [category.is_parent for category in found] == [True, False]


def test_a_select_of_a_list_takes_any_number_of_values() -> None:
    select = Select(lambda count: Product.objects.filter(pk__in=[slot(str(n)) for n in range(count)]).order_by("-pk"))
    ids = [factories.product(f"Shoe {number}").pk for number in range(3)]
    for some in ([ids[1]], ids, [ids[2], ids[0]], [ids[0]], []):
        assert [product.pk for product in select.of_list(some)] == sorted(some, reverse=True)


def test_selected_rows_are_those_of_values_list() -> None:
    names = Category.objects.filter(pk=OuterRef("category_id")).order_by().values("name")
    rows = (
        Product.objects.annotate(category_name=Subquery(names))
        .values_list("pk", "name", "category_name", "price", "is_active", "rating", "created_at", named=True)
        .order_by("-pk")
    )
    category = factories.category("Shoes")
    ids = [factories.product(f"Shoe {number}", category=category, rating=4.5).pk for number in range(3)]
    by_list = SelectRows(lambda count: rows.filter(pk__in=slots(count)))
    for some in (ids, ids[:1], []):
        found = by_list.of_list(some)
        assert found == list(rows.filter(pk__in=some))
        assert [row.category_name for row in found] == ["Shoes"] * len(some)
    assert SelectRows(lambda: rows.filter(pk=slot("pk"))).first(pk=ids[1]) == rows.get(pk=ids[1])


def test_rows_are_read_where_the_router_says(settings: Any) -> None:
    class Elsewhere:
        def db_for_read(self, model: type[models.Model], **hints: Any) -> str:
            return "elsewhere"

    product, select = factories.product(), SelectRows(lambda: Product.objects.values_list("pk", named=True))
    assert select.first() == (product.pk,)
    settings.DATABASE_ROUTERS = [Elsewhere()]
    with pytest.raises(ConnectionDoesNotExist):
        select.first()


def test_a_second_run_is_not_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    select = Select(lambda: Product.objects.filter(pk=slot("pk")))
    product = factories.product()
    select.first(pk=product.pk)
    monkeypatch.setattr("django.db.models.sql.compiler.SQLCompiler.as_sql", None)
    with CaptureQueriesContext(connection) as queries:
        assert select.first(pk=product.pk) == product
    assert len(queries) == 1


def test_an_update_takes_values_in_its_condition_and_its_changes() -> None:
    rows = Write(
        lambda: Product.objects.alias(left=F("quantity") + 0).filter(pk=slot("pk"), left__gte=slot("pieces")),
        quantity=F("quantity") - slot("pieces"),
        updated_at=slot("now", DateTimeField()),
    )
    now = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)
    product, other = factories.product("Shoe", quantity=5), factories.product("Boot", quantity=5)
    assert rows.run(pk=product.pk, pieces=3, now=now) == 1
    assert rows.run(pk=product.pk, pieces=3, now=now) == 0
    product.refresh_from_db()
    other.refresh_from_db()
    assert (product.quantity, product.updated_at, other.quantity) == (2, now, 5)


def test_a_delete_takes_its_values() -> None:
    rows = Write(lambda: Category.objects.filter(pk=slot("pk")))
    categories = [factories.category(f"Shoes {number}") for number in range(2)]
    assert rows.run(pk=categories[0].pk) == 1
    assert rows.run(pk=categories[0].pk) == 0
    assert list(Category.objects.all()) == [categories[1]]


def test_an_insert_writes_the_row_that_save_does() -> None:
    given: dict[str, Any] = {
        "note": "Größe 42 \N{SNOWMAN} %s",
        "cart_snapshot": {"items": [1]},
        "user": factories.user(),
    }
    saved, inserted = order("1", **given), order("2", **given)
    saved.save()
    assert Insert(Order).one(inserted) is inserted
    assert inserted.pk > saved.pk
    assert not inserted._state.adding
    rows = [columns(Order.objects.get(number=number)) for number in "12"]
    for row in rows:
        for name in ("id", "number", "cart_id", "created_at", "updated_at"):
            assert row.pop(name) is not None
    assert rows[0] == rows[1]
    inserted.note = "Changed"
    inserted.save()
    assert Order.objects.get(number="2").note == "Changed"


def test_columns_with_their_default_are_left_to_the_database() -> None:
    with CaptureQueriesContext(connection) as queries:
        Insert(Order).one(order("1"))
    assert "phone" not in queries[0]["sql"]
    assert Order.objects.get(number="1").phone == ""
    insert = Insert(Order)
    insert.all([order("2"), order("3", phone="030 901820"), order("4")])
    assert [row.phone for row in Order.objects.order_by("number")] == ["", "", "030 901820", ""]


def test_several_rows_are_one_insert() -> None:
    parent = Insert(Order).one(order("1"))
    price = Decimal("1.05")
    lines = [
        OrderLine(order=parent, sku=f"S{number}", name="Shoe", unit_price=price, quantity=number)
        for number in (1, 2, 3)
    ]
    insert = Insert(OrderLine)
    with CaptureQueriesContext(connection) as queries:
        insert.all(lines)
        insert.all([])
    assert len(queries) == 1
    assert [(line.sku, line.quantity, line.unit_price) for line in parent.items] == [
        ("S1", 1, price), ("S2", 2, price), ("S3", 3, price),
    ]  # fmt: skip


def test_rows_that_differ_in_a_few_columns_are_one_insert_without_instances() -> None:
    parent = Insert(Order).one(order("1"))
    insert, shared = Insert(OrderLine), {"order": parent, "name": "Schuh %s"}
    with CaptureQueriesContext(connection) as queries:
        insert.rows(("sku", "unit_price", "quantity"), [("A", Decimal("1.05"), 1), ("B", Decimal(2), 3)], **shared)
        insert.rows(("sku", "unit_price", "quantity"), [], **shared)
    assert len(queries) == 1
    insert.one(OrderLine(sku="C", unit_price=Decimal(2), quantity=3, **shared))
    found = [columns(line) for line in OrderLine.objects.order_by("pk")]
    assert [(row["sku"], row["unit_price"], row["quantity"], row["name"]) for row in found] == [
        ("A", Decimal("1.05"), 1, "Schuh %s"), ("B", 2, 3, "Schuh %s"), ("C", 2, 3, "Schuh %s"),
    ]  # fmt: skip
    for row in found[1:]:
        del row["id"], row["sku"]
    assert found[1] == found[2]


def test_a_constraint_refuses_an_insert() -> None:
    insert = Insert(Order)
    insert.one(order("1"))
    with pytest.raises(IntegrityError), transaction.atomic():
        insert.one(order("1", cart_id=2))
    assert Order.objects.count() == 1


def test_several_rows_are_overwritten_in_the_named_columns_only() -> None:
    products = [factories.product(f"Shoe {number}", quantity=1) for number in range(3)]
    for product in products[:2]:
        product.name, product.price, product.quantity = "Ü %s", Decimal("0.05"), 7
    with CaptureQueriesContext(connection) as queries:
        Overwrite(Product).all(products[:2], {"name", "price"})
        Overwrite(Product).all([], {"name"})
    assert len(queries) == 1
    found = list(Product.objects.order_by("pk").values_list("pk", "name", "price", "quantity", "sku", "created_at"))
    for row, product in zip(found, products, strict=True):
        assert row == (product.pk, product.name, product.price, 1, product.sku, product.created_at)


def test_a_unique_value_of_another_row_overwrites_nothing() -> None:
    first, second = (factories.product(sku=sku) for sku in ("A", "B"))
    second.sku, second.brand = "A", "New"
    with pytest.raises(IntegrityError), transaction.atomic():
        Overwrite(Product).all([second], {"sku", "brand"})
    rows = Product.objects.order_by("pk").values_list("pk", "sku", "brand")
    assert list(rows) == [(first.pk, "A", first.brand), (second.pk, "B", first.brand)]
    second.sku = "C"
    Overwrite(Product).all([second], {"sku"})
    assert Product.objects.get(pk=second.pk).sku == "C"

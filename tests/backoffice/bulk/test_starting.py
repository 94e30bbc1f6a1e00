"""Bulk work: what was changed meanwhile is refused by name, and the others are changed, once."""

from decimal import Decimal

import pytest

from backoffice.bulk import starting
from backoffice.bulk.models import BulkChange
from backoffice.bulk.operations import Kind, Operation
from backoffice.history.models import Change
from backoffice.imports import planning, progress, uploading
from backoffice.imports.models import Import
from productbackend.errors import DomainError
from products import catalogue
from products.inventory import ledger, stock
from products.models import Product
from tests import factories
from tests.backoffice.bulk.work import lines, messages, preview, run

pytestmark = pytest.mark.django_db
RAISE = Operation(Kind.PRICE_AMOUNT, "1")


def test_what_others_change_meanwhile_is_refused_by_name_and_the_others_are_changed() -> None:
    products = {name: factories.product(name, price=Decimal("5"), quantity=10) for name in "ABCDEF"}
    row = preview(RAISE)
    ids = {name: product.pk for name, product in products.items()}
    catalogue.change(product_id=ids["B"], user=None, precondition=lambda product: None, price=Decimal("7"))
    stock.adjust(product_id=ids["C"], delta=1, user=None)
    stock.sell(wanted=[stock.StockRequest(ids["D"], "D", 2)], order_number="N", user=None)
    catalogue.delete(product_id=ids["E"], precondition=lambda product: None)
    run(preview(Operation(Kind.RECEIVED, 4), name="F"))
    row = run(row)
    assert (row.status, row.changed, row.refused) == ("done", 2, 4)
    assert [(name, after, outcome) for name, _, after, outcome in lines(row)] == [
        ("A", "6.00 EUR", "changed"),
        ("B", "", "refused"),
        ("C", "", "refused"),
        ("D", "6.00 EUR", "changed"),
        ("E", "", "refused"),
        ("F", "", "refused"),
    ]
    assert "changed after the preview" in messages(row)[1]
    assert "was deleted" in messages(row)[4]
    prices = dict(Product.objects.values_list("name", "price"))
    assert {name: int(price) for name, price in prices.items()} == {"A": 6, "B": 7, "C": 5, "D": 6, "F": 5}


def test_sales_meanwhile_are_not_lost() -> None:
    product = factories.product("A", quantity=10)
    row = preview(Operation(Kind.RECEIVED, 5))
    stock.sell(wanted=[stock.StockRequest(product.pk, "A", 3)], order_number="N", user=None)
    assert lines(run(row)) == [("A", "7", "12", "changed")]
    product.refresh_from_db()
    assert product.quantity == 12
    assert all(balance.is_correct for balance in ledger.balances())


def test_it_is_run_once() -> None:
    factories.product(price=Decimal("5"))
    row = preview(RAISE)
    for _ in range(2):
        assert run(row).status == "done"
    assert Product.objects.get().price == 6
    other = Import.objects.create(kind="stock", columns=[], has_decimal_commas=False)
    with pytest.raises(DomainError, match="no such bulk change"):
        starting.run(bulk_id=other.pk, user_id=None, may=[])


def test_the_history_says_who_and_by_which_way() -> None:
    user = factories.user("stella")
    factories.product(price=Decimal("5"))
    row = run(preview(RAISE), user_id=user.pk)
    change = Change.objects.get(action="changed")
    assert (change.user_id, change.way, change.source) == (user.pk, "admin", f"bulk change {row.pk}")
    assert change.fields == {"price": ["5.00", "6.00"]}
    run(preview(Operation(Kind.RECEIVED, 2)), user_id=user.pk)
    assert Product.objects.get().movements.latest("id").user_id == user.pk


def test_what_the_user_may_not_do_any_more_is_refused() -> None:
    factories.product(price=Decimal("5"))
    row = run(preview(RAISE), may=[])
    assert messages(row) == ["You may not change products."]
    assert Product.objects.get().price == 5


def test_the_first_slice_is_shown_immediately_and_workers_do_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploading, "SLICE_ROWS", 2)
    for name in "ABCDE":
        factories.product(name, price=Decimal("5"))
    row = starting.preview(
        products=Product.objects.order_by("pk"), operation=RAISE, user_id=None, may=planning.PERMISSIONS
    )
    stored = BulkChange.objects.get(pk=row.pk)
    assert (stored.status, stored.changed, stored.claimed_at) == ("checking", 2, None)
    with pytest.raises(DomainError, match="still being checked"):
        starting.run(bulk_id=row.pk, user_id=None, may=planning.PERMISSIONS)
    progress.work(row.pk)
    starting.run(bulk_id=row.pk, user_id=None, may=planning.PERMISSIONS)
    assert sorted(Product.objects.values_list("price", flat=True)) == [5, 5, 5, 6, 6]
    progress.work(row.pk)
    assert BulkChange.objects.get(pk=row.pk).status == "done"
    assert set(Product.objects.values_list("price", flat=True)) == {6}


def test_skus_that_look_like_formulas_are_found() -> None:
    for sku in ("=1+1", "'=X", "-5"):
        factories.product(sku=sku, price=Decimal("5"))
    assert run(preview(RAISE)).changed == 3


def test_too_many_products_are_refused_and_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting, "SELECTED_MAX", 1)
    for name in "AB":
        factories.product(name)
    for found, said in [(Product.objects.all(), "At most 1 products"), (Product.objects.none(), "exists any more")]:
        with pytest.raises(DomainError, match=said):
            starting.preview(products=found, operation=RAISE, user_id=None, may=[])
    assert not Import.objects.exists()

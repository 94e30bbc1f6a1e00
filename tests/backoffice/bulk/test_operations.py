"""What each operation does to products, and what its preview shows."""

from decimal import Decimal

import pytest

from backoffice.bulk.operations import Kind, Operation
from products import categories
from products.models import QUANTITY_MAX, Product
from tests import factories
from tests.backoffice.bulk.work import lines, messages, preview, run

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("kind", "value", "price", "after", "message"),
    [
        (Kind.PRICE_PERCENT, "10", "19.90", "21.89 EUR", ""),
        (Kind.PRICE_PERCENT, "5", "0.50", "0.53 EUR", "Rounded from 0.525."),
        (Kind.PRICE_PERCENT, "-5", "0.50", "0.48 EUR", "Rounded from 0.475."),
        (Kind.PRICE_PERCENT, "-2.5", "19.90", "19.40 EUR", "Rounded from 19.4025."),
        (Kind.PRICE_PERCENT, "-100", "19.90", "0.00 EUR", ""),
        (Kind.PRICE_AMOUNT, "-0.10", "1999.90", "1,999.80 EUR", ""),
        (Kind.PRICE_AMOUNT, "-19.90", "19.90", "0.00 EUR", ""),
    ],
)
def test_prices_are_changed_as_the_preview_says(kind: str, value: str, price: str, after: str, message: str) -> None:
    product = factories.product("Lamp", price=Decimal(price))
    row = preview(Operation(kind, value))
    assert lines(row) == [("Lamp", f"{Decimal(price):,.2f} EUR", after, "changed")]
    assert messages(row) == [message]
    product.refresh_from_db()
    assert product.price == Decimal(price)
    run(row)
    product.refresh_from_db()
    assert f"{product.price:,.2f} EUR" == after


def test_what_is_no_price_is_refused_by_name() -> None:
    factories.product("Cheap", price=Decimal("0.99"))
    factories.product("Dear", price=Decimal("99999999.00"))
    row = preview(Operation(Kind.PRICE_AMOUNT, "-1"))
    assert lines(row)[0] == ("Cheap", "0.99 EUR", "", "refused")
    assert messages(row)[0] == "The price would be -0.01 EUR: it cannot be below zero."
    row = preview(Operation(Kind.PRICE_PERCENT, "1"))
    assert lines(row)[1] == ("Dear", "99,999,999.00 EUR", "", "refused")
    assert "it is at most 99,999,999.99" in messages(row)[1]
    assert (run(row).refused, Product.objects.get(name="Dear").price) == (1, Decimal("99999999"))


def test_a_price_that_rounds_to_itself_is_unchanged() -> None:
    factories.product(price=Decimal("0.10"))
    assert lines(preview(Operation(Kind.PRICE_PERCENT, "1"))) == [("Red shoe", "0.10 EUR", "0.10 EUR", "unchanged")]


def test_products_are_hidden() -> None:
    factories.product("A")
    factories.product("B", is_active=False)
    row = run(preview(Operation(Kind.VISIBILITY, False)))
    assert lines(row) == [("A", "visible", "hidden", "changed"), ("B", "hidden", "hidden", "unchanged")]
    assert not Product.objects.filter(is_active=True).exists()


def test_products_move_to_a_category() -> None:
    home = factories.category("Home")
    lamps = factories.category("Lamps", parent=home)
    factories.product("A")
    factories.product("B", category=home)
    factories.product("C", category=lamps)
    row = run(preview(Operation(Kind.CATEGORY, lamps.pk)))
    assert lines(row) == [
        ("A", "no category", "Home > Lamps", "changed"),
        ("B", "Home", "Home > Lamps", "changed"),
        ("C", "Home > Lamps", "Home > Lamps", "unchanged"),
    ]
    assert set(Product.objects.values_list("category", flat=True)) == {lamps.pk}
    assert all("lamps" in text for text in Product.objects.values_list("search_text", flat=True))
    row = run(preview(Operation(Kind.CATEGORY, None), name="A"))
    assert lines(row) == [("A", "Home > Lamps", "no category", "changed")]
    assert Product.objects.get(name="A").category_id is None


def test_a_category_that_is_deleted_refuses_its_products() -> None:
    lamps = factories.category("Lamps")
    factories.product("A")
    row = preview(Operation(Kind.CATEGORY, lamps.pk))
    categories.delete(category_id=lamps.pk)
    row = run(row)
    assert (lines(row), messages(row)) == (
        [("A", "no category", "", "refused")],
        ["The category was deleted."],
    )


def test_stock_is_received_and_corrected_with_a_note() -> None:
    product = factories.product("A", quantity=2)
    factories.product("Full", quantity=QUANTITY_MAX)
    row = run(preview(Operation(Kind.RECEIVED, 5, note="Delivery 7")))
    assert lines(row) == [("A", "2", "7", "changed"), ("Full", "2,147,483,647", "", "refused")]
    row = run(preview(Operation(Kind.CORRECTION, -8), name="A"))
    assert lines(row) == [("A", "7", "", "refused")]
    assert messages(row) == ["quantity: 7 are in stock now. The quantity would be -1."]
    run(preview(Operation(Kind.CORRECTION, -3, note="Broken"), name="A"))
    movements = product.movements.order_by("id").values_list("delta", "reason", "order_number", "note")
    assert list(movements) == [
        (2, "initial", "", ""),
        (5, "restock", "", "Delivery 7"),
        (-3, "correction", "", "Broken"),
    ]
    product.refresh_from_db()
    assert product.quantity == 4


@pytest.mark.parametrize(
    ("operation", "text"),
    [
        (Operation(Kind.PRICE_PERCENT, "-2.50"), "Price -2.50 %"),
        (Operation(Kind.PRICE_AMOUNT, "1200"), "Price +1,200.00 EUR"),
        (Operation(Kind.VISIBILITY, True), "Show in the shop"),
        (Operation(Kind.CATEGORY, 3, path="Home > Lamps"), "Category: Home > Lamps"),
        (Operation(Kind.CATEGORY, None), "Category: no category"),
        (Operation(Kind.RECEIVED, 1200, note="Late"), "Received: +1,200 pieces. Late"),
        (Operation(Kind.CORRECTION, -1), "Correction: -1 pieces"),
    ],
)
def test_an_operation_is_described(operation: Operation, text: str) -> None:
    assert operation.described() == text

"""What the check says, and that it changes nothing."""

import pytest

from backoffice.imports import uploading
from products.models import Category, Product
from tests import factories
from tests.backoffice.imports.files import check, counts, lines, upload, xlsx

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("slice_rows", [500, 1])
def test_a_sku_that_stands_twice(monkeypatch: pytest.MonkeyPatch, slice_rows: int) -> None:
    monkeypatch.setattr(uploading, "SLICE_ROWS", slice_rows)
    factories.product(sku="A")
    for kind in ("products", "stock"):
        row = check("sku,quantity\nA,1\na,1\nA,2\n", kind=kind)
        assert [line[2] for line in lines(row)] == ["changed", "refused", "refused"]
        assert lines(row)[2][3] == "The SKU stands in a row above too."


def test_skus_that_a_spreadsheet_turned_into_numbers() -> None:
    for sku in ("7", "0815", "10.5"):
        factories.product(sku=sku)
    rows: list[list[object]] = [
        ["sku", "name", "quantity"],
        [7, "Seven", 1],
        [815, "Zero", 1],
        [1.5e15, "Long", 1],
        [9, "New", 1],
    ]
    row = check(xlsx(rows))
    assert [(sku, outcome) for _, sku, outcome, _ in lines(row)] == [
        ("7", "changed"), ("815", "refused"), ("1.5e+15", "refused"), ("9", "created"),
    ]  # fmt: skip
    assert "zeros before this number" in lines(row)[1][3]
    assert "rounded" in lines(row)[2][3]
    assert [line[2] for line in lines(check("sku;name\n4,00638E+12;x\n10.5;x\n"))] == ["refused", "changed"]


def test_what_the_rules_of_the_catalogue_refuse() -> None:
    factories.product(sku="A", quantity=2_147_483_647)
    content = (
        "sku,name,quantity,category\n"
        "N1,,1,\n"
        "N2,x,,\n"
        "A,,+1,\n"
        f"N3,x,1,{' > '.join(['x'] * 13)}\n"
        f"N4,x,1,{'x' * 101}\n"
        "N5,x,1,Garden > Chairs\n"
    )
    row = check(content)
    messages = [message for _, _, _, message in lines(row)]
    assert counts(row) == (1, 0, 0, 5)
    for message, part in zip(
        messages,
        ["name: A new product", "quantity: A new product", "would be 2147483648", "12 levels", "at most 100",
         "Creates the category Garden."],
        strict=True,
    ):  # fmt: skip
        assert part in message
    assert row.message.startswith("Rows that are refused: 5.")
    assert (Product.objects.count(), Category.objects.count()) == (1, 0)
    assert [line[2:] for line in lines(check("sku,quantity\nX,1\n", kind="stock"))] == [
        ("refused", "There is no product with this SKU.")
    ]


def test_characters_that_no_product_can_have() -> None:
    factories.product(sku="A\N{SNOWMAN}")
    row = check("sku,name\nA\N{SNOWMAN},a\0b\nA\0,x\n")
    assert [(sku, outcome) for _, sku, outcome, _ in lines(row)] == [("A\N{SNOWMAN}", "refused"), ("A", "refused")]


def test_a_check_that_is_not_complete_says_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploading, "SLICE_ROWS", 1)
    row = upload("sku,name,quantity\nA,x,1\nB,x,1\n")
    assert (row.status, row.progress, row.rows, row.slices) == ("checking", 0.0, 2, 2)

"""The grid on a family's page: its products are changed and saved together."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from backoffice.history.models import Change
from products import catalogue
from products.families import variants
from products.images import lifecycle
from products.inventory import ledger, stock
from products.models import Family, Product, ProductImage, StockMovement
from tests import factories
from tests.backoffice.people import member
from tests.products import pictures
from tests.products.admin.pages import Fields, messages, send, shown, text
from tests.queries import queries

pytestmark = pytest.mark.django_db

STAFF = ("products.view_family", "products.change_family", "products.view_product", "products.change_product")


@pytest.fixture
def shirt() -> Family:
    family = factories.family(axes=["Size", "Colour"])
    for size in ("S", "M"):
        factories.member(family, size, "Red", sku=f"{size}-RED")
    return family


@pytest.fixture
def editor(client: Client) -> Client:
    client.force_login(member(*STAFF))
    return client


def page_of(family: Family) -> str:
    return f"/admin/products/family/{family.pk}/change/"


def row(sku: str) -> str:
    return f"row-{Product.objects.get(sku=sku).pk}-"


def test_all_rows_are_changed_by_one_save(editor: Client, shirt: Family) -> None:
    small, medium, path = row("S-RED"), row("M-RED"), page_of(shirt)
    fields = shown(editor, path)
    assert {name.removeprefix(small): value for name, value in fields.items() if name.startswith(small)} == {
        "value_0": "S", "value_1": "Red", "sku": "S-RED", "price": "19.90", "quantity": "10", "is_active": "on",
    }  # fmt: skip
    changed = {
        small + "price": "21.50",
        small + "sku": "SHIRT-S",
        small + "is_active": None,
        medium + "quantity": "7",
        medium + "value_1": "Blue",
        "brand": "Northway",
    }
    said = messages(editor, send(editor, path, fields, **changed))
    assert "2 products changed." in said
    first, second = Product.objects.order_by("pk")
    assert (first.price, first.sku, first.is_active, first.quantity) == (Decimal("21.50"), "SHIRT-S", False, 10)
    assert (second.price, second.options, second.quantity) == (Decimal("19.90"), {"Size": "M", "Colour": "Blue"}, 7)
    assert (first.is_lead, second.is_lead) == (False, True)
    shirt.refresh_from_db()
    assert shirt.brand == "Northway"
    movement = StockMovement.objects.latest("pk")
    assert (movement.delta, movement.reason, movement.user.username) == (-3, "correction", "ada")  # type: ignore[union-attr]
    assert all(balance.is_correct for balance in ledger.balances())
    written = {
        name for change in Change.objects.filter(kind="products.product", action="changed") for name in change.fields
    }
    assert written == {"sku", "price", "is_active", "options"}
    found = Client().get("/products/?option=Colour:Blue").json()["results"]
    assert [product["sku"] for product in found] == ["M-RED"]


def test_nothing_is_written_of_rows_that_were_not_changed(editor: Client, shirt: Family) -> None:
    before = list(Product.objects.values_list("pk", "updated_at"))
    fields = shown(editor, page_of(shirt))
    catalogue.change(product_id=before[0][0], user=None, precondition=lambda _: None, price=Decimal("5.00"))
    said = messages(editor, send(editor, page_of(shirt), fields, name="Shirts"))
    assert not [sentence for sentence in said if "products changed" in sentence or "not saved" in sentence]
    assert Product.objects.get(pk=before[0][0]).price == Decimal("5.00")
    assert Product.objects.get(pk=before[1][0]).updated_at == before[1][1]


def test_a_sale_between_showing_and_saving_is_kept(editor: Client, shirt: Family) -> None:
    fields, small = shown(editor, page_of(shirt)), Product.objects.get(sku="S-RED")
    stock.sell(wanted=[stock.StockRequest(small.pk, "S", 4)], order_number="X1", user=None)
    changed = {row("S-RED") + "quantity": "25", row("S-RED") + "price": "9.00"}
    assert "1 product changed." in messages(editor, send(editor, page_of(shirt), fields, **changed))
    small.refresh_from_db()
    assert (small.quantity, small.price) == (21, Decimal("9.00"))
    assert all(balance.is_correct for balance in ledger.balances())


def test_a_sale_that_leaves_too_little_is_said_at_the_row(editor: Client, shirt: Family) -> None:
    fields, small = shown(editor, page_of(shirt)), Product.objects.get(sku="S-RED")
    stock.sell(wanted=[stock.StockRequest(small.pk, "S", 4)], order_number="X1", user=None)
    changed = {row("S-RED") + "quantity": "2", row("M-RED") + "price": "7.00"}
    page = text(send(editor, page_of(shirt), fields, **changed))
    assert "6 are in stock now. The quantity would be -2." in page
    assert 'value="7.00"' in page
    assert Product.objects.filter(quantity=6, price=Decimal("19.90")).exists()


@pytest.mark.parametrize("other", ["price", "quantity", "options", "sku"])
def test_a_product_that_others_changed_is_refused_by_name_and_the_others_are_saved(
    editor: Client, shirt: Family, other: str
) -> None:
    fields, small = shown(editor, page_of(shirt)), Product.objects.get(sku="S-RED")
    theirs: Any = {"price": Decimal("5.00"), "quantity": 3, "options": {"Size": "XS"}, "sku": "XS-RED"}[other]
    changed = {row("S-RED") + "price": "6.00", row("S-RED") + "quantity": "11", row("M-RED") + "price": "7.00"}
    catalogue.change(product_id=small.pk, user=None, precondition=lambda _: None, **{other: theirs})
    answer = send(editor, page_of(shirt), fields, **changed)
    assert answer["Location"] == page_of(shirt)  # with the present values
    said = messages(editor, answer)
    assert "1 product changed." in said
    assert [sentence for sentence in said if sentence.startswith("Shirt, S, Red was not saved: it was changed")]
    before = small.quantity
    small.refresh_from_db()
    assert getattr(small, other) == theirs
    assert small.price in (Decimal("5.00"), Decimal("19.90"))
    assert small.quantity in (before, 3)
    assert Product.objects.get(sku="M-RED").price == Decimal("7.00")


def test_a_second_click_on_the_button_changes_and_says_nothing(editor: Client, shirt: Family) -> None:
    fields = shown(editor, page_of(shirt))
    changed = {row("S-RED") + "price": "6.00", row("S-RED") + "quantity": "11", row("M-RED") + "take_out": "on"}
    messages(editor, send(editor, page_of(shirt), fields, **changed))
    said = messages(editor, send(editor, page_of(shirt), fields, **changed))
    assert not [sentence for sentence in said if "not saved" in sentence or "products changed" in sentence]
    assert Product.objects.get(sku="S-RED").quantity == 11


def test_a_product_that_has_left_is_refused_by_name(editor: Client, shirt: Family) -> None:
    fields, small = shown(editor, page_of(shirt)), Product.objects.get(sku="S-RED")
    changed = {row("S-RED") + "price": "6.00", row("M-RED") + "price": "7.00"}
    catalogue.change(product_id=small.pk, user=None, precondition=lambda _: None, family=None)
    said = messages(editor, send(editor, page_of(shirt), fields, **changed))
    assert "Shirt, S, Red was not saved: it is no product of this family any more." in said
    assert set(Product.objects.values_list("price", flat=True)) == {Decimal("19.90"), Decimal("7.00")}


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"S": {"sku": "NEW"}, "M": {"sku": "NEW"}}, "Two products cannot have the same SKU."),
        ({"S": {"sku": "OTHER"}}, "Other has this SKU."),
        ({"S": {"sku": "M-RED"}, "M": {"sku": "M-RED-2"}}, "Shirt, M, Red has this SKU."),
        ({"S": {"value_0": "L"}, "M": {"value_0": " l "}}, "Another product of the family has these options."),
        ({"S": {"value_0": "m"}}, "Another product of the family has these options."),
        ({"S": {"sku": ""}}, "This field is required."),
        ({"S": {"price": "-1"}}, "greater than or equal to 0."),
        ({"S": {"price": "cheap"}}, "Enter a number."),
        ({"S": {"price": "1.999"}}, "no more than 2 decimal places"),
        ({"S": {"quantity": "-1"}}, "greater than or equal to 0."),
        ({"S": {"quantity": "2147483648"}}, "less than or equal to 2147483647."),
        ({"S": {"value_0": "\u200b"}}, "Enter at least one visible character."),
        ({"S": {"value_0": "x" * 101}}, "at most 100 characters"),
    ],
)
def test_a_bad_value_is_said_at_its_row_and_loses_nothing(
    editor: Client, shirt: Family, changed: dict[str, dict[str, str]], sentence: str
) -> None:
    factories.product("Other", sku="OTHER")
    before = list(Product.objects.order_by("pk").values())
    typed = {row(f"{size}-RED") + name: value for size, given in changed.items() for name, value in given.items()}
    typed = {row("M-RED") + "price": "7.35", "brand": "Northway"} | typed
    answer = send(editor, page_of(shirt), shown(editor, page_of(shirt)), **typed)
    page = text(answer)
    assert sentence in page
    assert "Nothing was saved: correct what is marked in the grid." in page
    again = Fields(answer.content.decode()).values
    assert {name: again[name] for name in typed} == typed
    assert list(Product.objects.order_by("pk").values()) == before
    right = {
        row("S-RED") + "sku": "S-RED", row("S-RED") + "price": "19.90", row("S-RED") + "quantity": "10",
        row("S-RED") + "value_0": "S", row("M-RED") + "value_0": "M", row("M-RED") + "sku": "M-RED",
    }  # fmt: skip
    assert "1 product changed." in messages(editor, send(editor, page_of(shirt), again, **right))
    assert Product.objects.get(sku="M-RED").price == Decimal("7.35")


def test_a_product_that_is_taken_out_keeps_all_but_its_options(editor: Client, shirt: Family) -> None:
    small = Product.objects.get(sku="S-RED")
    movements = StockMovement.objects.count()
    fields = shown(editor, page_of(shirt))
    said = messages(editor, send(editor, page_of(shirt), fields, **{row("S-RED") + "take_out": "on"}))
    assert "1 product changed." in said
    after = Product.objects.get(pk=small.pk)
    assert (after.family_id, after.options, after.is_lead, after.family_position) == (None, {}, True, None)
    assert (after.slug, after.sku, after.quantity, after.price) == (small.slug, small.sku, small.quantity, small.price)
    assert StockMovement.objects.count() == movements
    assert Product.objects.get(sku="M-RED").is_lead
    assert "S-RED" not in text(editor.get(page_of(shirt)))


def test_axes_may_be_renamed_together_with_changes_of_options(editor: Client, shirt: Family) -> None:
    changed = {"axes": "Width\nColour", row("S-RED") + "value_0": "XS"}
    messages(editor, send(editor, page_of(shirt), shown(editor, page_of(shirt)), **changed))
    assert Product.objects.get(sku="S-RED").options == {"Width": "XS", "Colour": "Red"}
    assert Product.objects.get(sku="M-RED").options == {"Width": "M", "Colour": "Red"}


def test_who_may_not_change_products_sees_the_grid_without_fields(client: Client, shirt: Family) -> None:
    fields: dict[str, str] = {}
    for number, permissions in enumerate([STAFF, STAFF[:3], (STAFF[0], *STAFF[2:]), STAFF[:1]]):
        client.force_login(member(*permissions, name=f"ada{number}"))
        page = text(client.get(page_of(shirt)))
        assert "19.90" in page
        assert ('name="row-' in page) == (number == 0)
        fields = fields or shown(client, page_of(shirt))
        answer = send(client, page_of(shirt), fields, **{row("S-RED") + "price": f"{number}.00"})
        assert answer.status_code == (302 if number < 2 else 403)
        assert Product.objects.get(sku="S-RED").price == 0  # of the first


def test_a_grid_that_was_tampered_with_writes_nothing(editor: Client, shirt: Family) -> None:
    hats = factories.family("Hat")
    factories.member(hats, "M", sku="HAT")
    fields, others = shown(editor, page_of(shirt)), shown(editor, page_of(hats))
    for token in ("x", fields["grid-shown"][:-1], others["grid-shown"]):
        typed = {"grid-shown": token, row("S-RED") + "price": "1.00", row("HAT") + "price": "1.00"}
        assert "The grid cannot be read: open the page again." in messages(
            editor, send(editor, page_of(shirt), fields, **typed)
        )
    assert not Product.objects.exclude(price=Decimal("19.90")).exists()


@pytest.mark.django_db(transaction=True)
def test_a_picture_of_each_row_is_added(client: Client, shirt: Family, store: Any) -> None:
    client.force_login(member(*STAFF, "products.add_productimage"))
    files = {
        row("S-RED") + "picture": pictures.upload(pictures.jpeg(40, 30), "s.jpg"),
        row("M-RED") + "picture": pictures.upload(b"no picture", "m.jpg"),
    }
    said = messages(client, send(client, page_of(shirt), shown(client, page_of(shirt)), **files))
    assert "One picture was added. They are shown here once their sizes are made." in said
    assert [sentence for sentence in said if sentence.startswith("The file m.jpg was not added.")]
    image = ProductImage.objects.get()
    assert image.product.sku == "S-RED"
    assert "Pending" in text(client.get(page_of(shirt)))
    lifecycle.process(image.pk)
    assert 'class="preview"' in text(client.get(page_of(shirt)))


def test_who_may_not_add_pictures_has_no_field_for_them(editor: Client, shirt: Family) -> None:
    assert 'type="file"' not in text(editor.get(page_of(shirt)))


@pytest.mark.thorough
def test_the_page_takes_as_many_statements_for_250_products_as_for_two(editor: Client, shirt: Family) -> None:
    queries(editor, page_of(shirt))  # what a process reads once is not counted
    few = queries(editor, page_of(shirt))
    values = {"Size": [str(number) for number in range(248)], "Colour": ["Green"]}
    variants.make_missing(family_id=shirt.pk, options=values, price=Decimal(1), quantity=1)
    assert queries(editor, page_of(shirt)) == few
    fields = shown(editor, page_of(shirt))
    changed = {name: "8.15" for name in fields if name.endswith("-price")}
    changed |= {name: "3" for name in fields if name.endswith("-quantity")}
    with CaptureQueriesContext(connection) as captured:
        assert "250 products changed." in messages(editor, send(editor, page_of(shirt), fields, **changed))
    assert len(captured) < 80
    assert set(Product.objects.values_list("price", "quantity")) == {(Decimal("8.15"), 3)}
    assert all(balance.is_correct for balance in ledger.balances())

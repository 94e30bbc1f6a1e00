"""The page that makes the combinations of options which a family lacks."""

import re
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from products.models import Family, Product
from tests import factories
from tests.backoffice.people import member
from tests.products.admin.pages import Fields, messages, shown, text

pytestmark = pytest.mark.django_db

STAFF = ("products.view_family", "products.change_family", "products.add_product")


@pytest.fixture
def editor(client: Client) -> Client:
    client.force_login(member(*STAFF))
    return client


@pytest.fixture
def shirt() -> Family:
    return factories.family(axes=["Size", "Colour"], brand="Northway")


def page_of(family: Family) -> str:
    return f"/admin/products/family/{family.pk}/variants/"


def post(client: Client, family: Family, **fields: Any) -> Any:
    return client.post(
        page_of(family), {"values_0": "S, M", "values_1": "Red\nBlue", "price": "9.90", "quantity": "2"} | fields
    )


def rows(page: str) -> list[list[str]]:
    """Name, SKU and values of the products that the preview lists."""
    lines = page.partition("<tbody>")[2].partition("</tbody>")[0].split("</tr>")[:-1]
    return [re.findall(r">([^<>]*)</t[hd]>", line) for line in lines]


def test_the_preview_lists_exactly_what_is_made_then(editor: Client, shirt: Family) -> None:
    factories.member(shirt, "s", "RED", sku="OLD")
    factories.product("Taken", sku="SHIRT-M-BLUE")
    assert list(shown(editor, page_of(shirt))) == ["csrfmiddlewaretoken", "values_0", "values_1", "price", "quantity"]
    answer = post(editor, shirt)
    page = text(answer)
    assert (
        "<strong>3 products will be made</strong>, each for 9.90 EUR with 2 in stock. Nothing was written yet." in page
    )
    assert "1 combination exists already and stays as it is: <bdi>Shirt, s, RED</bdi>." in page
    assert Product.objects.count() == 2
    fields = Fields(answer.content.decode()).values
    said = messages(editor, editor.post(page_of(shirt), fields | {"confirm": "yes"}))
    assert said == ["3 products were made."]
    made = Product.objects.exclude(sku__in=["OLD", "SHIRT-M-BLUE"]).order_by("family_position")
    assert rows(page) == [[each.name, each.sku, *each.options.values()] for each in made]
    assert rows(page)[:2] == [
        ["Shirt, S, Blue", "SHIRT-S-BLUE", "S", "Blue"],
        ["Shirt, M, Red", "SHIRT-M-RED", "M", "Red"],
    ]
    assert set(made.values_list("price", "quantity", "brand")) == {(Decimal("9.90"), 2, "Northway")}


def test_an_sku_that_was_taken_after_the_preview_is_replaced(editor: Client, shirt: Family) -> None:
    fields = Fields(post(editor, shirt, values_0="S", values_1="Red").content.decode()).values
    factories.product("Taken", sku="SHIRT-S-RED")
    assert messages(editor, editor.post(page_of(shirt), fields | {"confirm": "yes"})) == ["One product was made."]
    assert Product.objects.get(family=shirt).sku.startswith("SHIRT-S-RED-")


def test_values_are_changed_after_the_preview(editor: Client, shirt: Family) -> None:
    fields = Fields(post(editor, shirt).content.decode()).values
    again = Fields(text_of(editor.post(page_of(shirt), fields | {"edit": "yes"}))).values
    assert (again["values_0"], again["values_1"].split()) == ("S, M", ["Red", "Blue"])
    assert not Product.objects.exists()


def text_of(response: Any) -> str:
    page: str = response.content.decode()
    return page


def test_nothing_that_is_missing_is_not_offered(editor: Client, shirt: Family) -> None:
    factories.member(shirt, "S")
    page = text(post(editor, shirt, values_0="S", values_1=""))
    assert "<strong>0 products will be made</strong>" in page
    assert 'name="confirm"' not in page


def test_values_with_commas_stand_on_lines(editor: Client, shirt: Family) -> None:
    page = text(post(editor, shirt, values_0="2,5 l\n3,5 l\n\n", values_1=""))
    assert [name for name, *_ in rows(page)] == ["Shirt, 2,5 l", "Shirt, 3,5 l"]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"values_0": " , ", "values_1": ""}, "Enter the values of one axis at least."),
        ({"values_0": "x" * 101}, "A value has 100 characters at most"),
        ({"values_0": "S,\u200b"}, "Enter at least one visible character."),
        ({"price": "-1"}, "greater than or equal to 0."),
        ({"price": ""}, "This field is required."),
        ({"quantity": "2147483648"}, "less than or equal to 2147483647."),
        ({"values_0": ",".join(map(str, range(126)))}, "A family has 250 products at most."),
    ],
)
def test_a_bad_value_is_said_and_loses_nothing(
    editor: Client, shirt: Family, fields: dict[str, str], sentence: str
) -> None:
    for button in ({}, {"confirm": "yes"}):
        answer = post(editor, shirt, **fields, **button)
        assert sentence in text(answer)
        assert Fields(text_of(answer)).values["values_1"] == fields.get("values_1", "Red\nBlue")
    assert not Product.objects.exists()


def test_it_takes_the_permissions_of_the_api(client: Client, shirt: Family) -> None:
    for number, permissions in enumerate([STAFF[:2], (STAFF[0], STAFF[2])]):
        client.force_login(member(*permissions, name=f"ada{number}"))
        assert "Make variants" not in text(client.get(f"/admin/products/family/{shirt.pk}/change/"))
        assert client.get(page_of(shirt)).status_code == 403
        assert post(client, shirt, confirm="yes").status_code == 403
    assert not Product.objects.exists()


def test_a_new_family_leads_to_the_page(admin_client: Client) -> None:
    data = {"name": "Shirt", "axes": "Size\nColour", "slug": "", "_save": "Save"}
    answer = admin_client.post("/admin/products/family/add/", data)
    assert answer["Location"] == page_of(Family.objects.get())
    assert "The family Shirt was added." in messages(admin_client, answer)
    assert admin_client.get(page_of(Family(pk=0))).status_code == 404

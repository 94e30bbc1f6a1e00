"""The action that makes a family of the products that were chosen in their list."""

from typing import Any

import pytest
from django.test import Client

from backoffice.history.models import Change
from products.models import Family, Option, Product
from tests import factories
from tests.backoffice.people import member
from tests.products.admin.pages import Fields, messages, text

pytestmark = pytest.mark.django_db

LIST = "/admin/products/product/"
STAFF = ("products.view_product", "products.change_product", "products.view_family", "products.add_family")


@pytest.fixture
def editor(client: Client) -> Client:
    client.force_login(member(*STAFF))
    return client


def choose(client: Client, *products: Product, **fields: Any) -> Any:
    return client.post(LIST, {"action": "make_family", "_selected_action": [each.pk for each in products]} | fields)


def values(product: Product, *given: str) -> dict[str, str]:
    return {f"value_{product.pk}_{number}": value for number, value in enumerate(given)}


def test_chosen_products_become_a_family(editor: Client) -> None:
    home = factories.category("Home")
    small, large = (factories.product(f"Mug {size}", brand="Merrow", category=home) for size in ("<small>", "large"))
    page = text(choose(editor, small, large))
    assert "2 products become one family." in page
    assert "Mug &lt;small&gt;" in page
    fields = {"post": "yes", "name": "Mug", "axis_0": "Size", "axis_1": "Colour"}
    answer = choose(editor, small, large, **fields, **values(small, "S", "Red"), **values(large, " L ", ""))
    assert "The family Mug has 2 products." in messages(editor, answer)
    family = Family.objects.get()
    assert answer["Location"] == f"/admin/products/family/{family.pk}/change/"
    assert (family.name, family.axes, family.brand, family.category) == ("Mug", ["Size", "Colour"], "Merrow", home)
    members = Product.objects.filter(family=family).order_by("family_position")
    assert [each.options for each in members] == [{"Size": "S", "Colour": "Red"}, {"Size": "L"}]
    assert [each.is_lead for each in members] == [True, False]
    assert Option.objects.count() == 3
    recorded = Change.objects.filter(kind="products.product", action="changed", object_id=large.pk).get()
    assert recorded.fields["options"][1] == "Size: L"
    found = Client().get("/products/?option=size:l").json()["results"]
    assert [each["slug"] for each in found] == [large.slug]


def test_a_product_of_another_family_is_refused_by_name(editor: Client) -> None:
    shirt = factories.member(factories.family("Shirt"), "M", name="Red shirt")
    mug = factories.product("Mug")
    sentence = "Red shirt is a product of the family Shirt: take it out there first."
    assert sentence in text(choose(editor, shirt, mug))
    fields = {"post": "yes", "name": "Things", "axis_0": "Size"} | values(shirt, "S") | values(mug, "M")
    answer = choose(editor, shirt, mug, **fields)
    assert sentence in text(answer)
    assert Family.objects.get().name == "Shirt"
    assert Product.objects.get(pk=mug.pk).family_id is None


@pytest.mark.parametrize(
    ("typed", "first", "second", "sentence"),
    [
        ({}, ("S",), ("s ",), "Another product of the family has these options."),
        ({}, ("",), ("",), "Another product of the family has these options."),
        ({"axis_1": "size"}, ("S",), ("M",), "Two axes have the same name."),
        ({"axis_0": "a:b"}, ("S",), ("M",), "no colon"),
        ({"axis_0": ""}, ("S",), ("M",), "This field is required."),
        ({"axis_2": "Colour"}, ("S",), ("M",), "Enter the second axis before the third one."),
        ({}, ("S", "Red"), ("M",), "Enter the name of this axis: Second axis."),
        ({"name": "\u200b"}, ("S",), ("M",), "Enter at least one visible character."),
        ({}, ("x" * 101,), ("M",), "at most 100 characters"),
    ],
)
def test_what_is_wrong_is_said_and_loses_nothing(
    editor: Client, typed: dict[str, str], first: tuple[str, ...], second: tuple[str, ...], sentence: str
) -> None:
    small, large = factories.product("Small"), factories.product("Large")
    fields = {"post": "yes", "name": "Mug", "axis_0": "Size"} | typed | values(small, *first) | values(large, *second)
    answer = choose(editor, small, large, **fields)
    assert sentence in text(answer)
    again = Fields(answer.content.decode()).values
    assert {name: again[name] for name in fields} == fields
    assert not Family.objects.exists()
    assert not Product.objects.exclude(family=None).exists()


def test_a_family_has_250_products_at_most(editor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("products.admin.gathering.VARIANTS_MAX", 1)
    small, large = factories.product("Small"), factories.product("Large")
    fields = {"post": "yes", "name": "Mug", "axis_0": "Size"} | values(small, "S") | values(large, "L")
    for answer in (choose(editor, small, large), choose(editor, small, large, **fields)):
        assert "More than 1 products are selected." in text(answer)
    assert not Family.objects.exists()


def test_it_takes_both_permissions(client: Client) -> None:
    mug = factories.product("Mug")
    for number, permissions in enumerate([STAFF[:3], (STAFF[0], *STAFF[2:])]):
        client.force_login(member(*permissions, name=f"ada{number}"))
        assert "make_family" not in text(client.get(LIST))
        choose(client, mug, post="yes", name="Mug", axis_0="Size")
    assert not Family.objects.exists()

"""Changing many members of a family together, and making a family of products that exist."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from productbackend.errors import DomainError, InvalidValues
from products.families import members
from products.families.members import Change
from products.inventory import ledger
from products.models import VARIANTS_MAX, Family, Option, Product
from tests import factories

pytestmark = pytest.mark.django_db


def fields(error: InvalidValues) -> set[tuple[str, str]]:
    return {(each["field"], each["code"]) for each in error.extra["errors"]}


def test_changes_are_written_all_or_none() -> None:
    family = factories.family()
    small, medium, large = (factories.member(family, size, sku=size) for size in "SML")
    changes = [
        Change(small.pk, {"price": Decimal("5.00")}, delta=-10),
        Change(medium.pk, {"sku": "S"}),
        Change(large.pk, values=["s"], delta=-11),
    ]
    with pytest.raises(InvalidValues) as refused:
        members.change(family_id=family.pk, changes=changes, user=None)
    assert fields(refused.value) == {
        (f"{medium.pk}.sku", "unique"), (f"{large.pk}.options", "unique"), (f"{large.pk}.quantity", "out_of_range"),
    }  # fmt: skip
    assert set(Product.objects.values_list("price", "quantity")) == {(Decimal("19.90"), 10)}
    changes[1:] = [Change(medium.pk, {"sku": "X", "is_active": False}), Change(large.pk, leaves=True, delta=3)]
    members.change(family_id=family.pk, changes=changes, user=None)
    rows = Product.objects.order_by("pk").values_list("sku", "price", "quantity", "is_active", "is_lead", "family")
    assert list(rows) == [
        ("S", Decimal("5.00"), 0, True, True, family.pk),
        ("X", Decimal("19.90"), 10, False, False, family.pk),
        ("L", Decimal("19.90"), 13, True, True, None),
    ]
    assert Option.objects.count() == 2
    assert all(balance.is_correct for balance in ledger.balances())


def test_products_of_another_family_are_not_changed() -> None:
    family, other = factories.family(), factories.member(factories.family("Hat"), "M")
    with pytest.raises(InvalidValues) as refused:
        members.change(family_id=family.pk, changes=[Change(other.pk, {"price": Decimal(1)})], user=None)
    assert fields(refused.value) == {(f"{other.pk}.family", "does_not_exist")}
    with pytest.raises(DomainError, match="no such family"):
        members.change(family_id=0, changes=[], user=None)


def test_a_family_is_made_of_all_products_or_of_none() -> None:
    red, blue = factories.product("Red", brand="Acme"), factories.product("Blue", brand="Other")
    for values in ({red.pk: ["M"], blue.pk: ["m"]}, {red.pk: ["M"], blue.pk + 1: ["L"]}):
        with pytest.raises(DomainError):
            members.gather(name="Shirt", axes=["Size"], values=values)
    assert not Family.objects.exists()
    family = members.gather(name="Shirt", axes=["Size"], values={blue.pk: ["M"], red.pk: [""]})
    found = Product.objects.filter(family=family.pk).order_by("family_position")
    rows = found.values_list("name", "options", "is_lead")
    assert list(rows) == [("Blue", {"Size": "M"}, True), ("Red", {}, False)]
    assert (family.brand, family.category) == ("", None)
    with pytest.raises(InvalidValues, match="2 values are invalid"):
        members.gather(name="Hat", axes=["Size"], values={blue.pk: ["M"], red.pk: ["L"]})


def test_as_many_products_as_a_family_may_have_are_gathered() -> None:
    numbers = range(VARIANTS_MAX + 1)
    Product.objects.bulk_create(Product(name=f"{n}", slug=f"s{n}", sku=f"K{n}", quantity=1) for n in numbers)
    products = Product.objects.order_by("pk")
    values = {product.pk: [product.name] for product in products}
    with pytest.raises(DomainError, match="250 products at most"):
        members.gather(name="Shirt", axes=["Size"], values=values)
    values.popitem()
    with CaptureQueriesContext(connection) as captured:
        family = members.gather(name="Shirt", axes=["Size"], values=values)
    assert Product.objects.filter(family=family.pk).count() == VARIANTS_MAX
    assert len(captured) < 40


def test_250_skus_and_options_are_written_by_a_few_statements() -> None:
    numbers = range(VARIANTS_MAX)
    Product.objects.bulk_create(Product(name=f"Shirt {n}", slug=f"s{n}", sku=f"K{n}", quantity=1) for n in numbers)
    ids = Product.objects.order_by("pk").values_list("pk", flat=True)
    family = members.gather(name="Shirt", axes=["Size"], values={pk: [str(pk)] for pk in ids})
    changes = [Change(pk, {"sku": f"N{pk}"}, values=[f"size {pk}"]) for pk in ids]
    with CaptureQueriesContext(connection) as captured:
        members.change(family_id=family.pk, changes=changes, user=None)
    assert len(captured) < 60
    for product in Product.objects.all():
        assert (product.sku, product.options) == (f"N{product.pk}", {"Size": f"size {product.pk}"})
        assert Option.objects.get(product=product).value_key == f"size {product.pk}"
        assert f"n{product.pk}" in product.search_text
    with pytest.raises(InvalidValues):  # the key of the new options is written too
        members.change(family_id=family.pk, changes=[Change(ids[0], values=[f"SIZE {ids[1]}"])], user=None)


def test_an_sku_that_is_taken_meanwhile_is_an_error_of_its_row(monkeypatch: pytest.MonkeyPatch) -> None:
    family = factories.family()
    small, medium = (factories.member(family, size, sku=size) for size in "SM")
    factories.product("Hat", sku="HAT")
    check, checks = members.errors, []

    def errors(*args: Any) -> Any:
        """As if the other product had been written after the first check."""
        checks.append(args)
        return check(*args) if len(checks) > 1 else []

    monkeypatch.setattr(members, "errors", errors)
    changes = [Change(small.pk, {"sku": "HAT"}), Change(medium.pk, values=["L"])]
    with pytest.raises(InvalidValues) as refused:
        members.change(family_id=family.pk, changes=changes, user=None)
    assert fields(refused.value) == {(f"{small.pk}.sku", "unique")}
    assert set(Product.objects.filter(family=family).values_list("sku", flat=True)) == {"S", "M"}

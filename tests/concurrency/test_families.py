"""Members of a family that are written concurrently: one lead, and no two members with the same options."""

from collections.abc import Iterable
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError

from carts.checkout import Checkout, PlacedOrder, place_order
from orders.customers import Customer
from productbackend.errors import DomainError, InvalidValue
from products import catalogue
from products.families import leads, variants, writing
from products.inventory import stock
from products.models import Family, Product
from tests import factories
from tests.concurrency.racing import carts, paused
from tests.concurrently import run_concurrently


def buy(cart: Any) -> Any:
    return partial(place_order, Checkout(cart_id=cart.pk, customer=Customer(user=cart.user)))


def unlocked(family_ids: Iterable[int | None]) -> dict[int, Family]:
    """`leads.lock` without the lock."""
    return {row.pk: row for row in Family.objects.filter(pk__in=[pk for pk in family_ids if pk]).order_by("pk")}


def shown(family: Family) -> list[str]:
    """The sizes of the leads, of which there should be one."""
    return [product.options["Size"] for product in Product.objects.filter(family=family.pk, is_lead=True)]


# --- Sales that each sell out a member ------------------------------------------------------


def sell_out(number: int, *sizes: int) -> list[str]:
    """Sell the last piece of members concurrently; return the leads then."""
    family = factories.family(f"Family {number}")
    members = [factories.member(family, str(size), quantity=1) for size in range(len(sizes) + 1)]
    baskets = []
    for size in sizes:
        [cart] = carts_of(f"{number}-{size}", members[size])
        baskets.append(buy(cart))
    outcomes = run_concurrently(baskets)
    assert {type(outcome) for outcome in outcomes} == {PlacedOrder}, outcomes
    return shown(family)


def carts_of(prefix: str, product: Product) -> list[Any]:
    found = carts(1, (product, 1))
    user: Any = found[0].user
    user.username, user.email = f"buyer-{prefix}", f"buyer-{prefix}@example.com"
    user.save()
    return found


def test_two_sales_that_each_sell_out_a_member(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stock, "subtract", paused(stock.subtract, 0.05))
    for number in range(4):
        assert sell_out(number, 0, 1) == ["2"]


def test_control_without_the_familys_lock_the_lead_is_sold_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stock, "subtract", paused(stock.subtract, 0.05))
    monkeypatch.setattr(leads, "lock", unlocked)
    assert [number for number in range(4) if sell_out(number, 0, 1) != ["2"]]


def test_twenty_sales_that_each_sell_out_a_member() -> None:
    assert sell_out(0, *range(20)) == ["20"]


def test_sales_and_staff_who_write_the_whole_family() -> None:
    family = factories.family()
    members = [factories.member(family, str(size), quantity=1) for size in range(6)]
    order = [member.pk for member in members][::-1]
    calls = [buy(cart) for size in range(4) for cart in carts_of(str(size), members[size])]
    calls += [partial(writing.change, family_id=family.pk, precondition=lambda row: None, order=order)] * 3
    calls += [partial(writing.change, family_id=family.pk, precondition=lambda row: None, axes=["Size"])]
    hide = partial(catalogue.change, user=None, precondition=lambda row: None, is_active=False)
    calls += [partial(hide, product_id=members[5].pk)]
    outcomes = run_concurrently(calls)
    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    assert shown(family) == ["4"]


# --- Products that join with the same options -----------------------------------------------


def join_concurrently(count: int) -> list[Any]:
    family = factories.family()
    products = [factories.product(f"p{number}") for number in range(count)]
    join = partial(catalogue.change, user=None, precondition=lambda row: None, family=family)
    spellings = ["M", "m", " M ", "m "]
    calls = [
        partial(join, product_id=product.pk, options={"Size": spellings[number % 4]})
        for number, product in enumerate(products)
    ]
    outcomes = run_concurrently(calls)
    assert Product.objects.filter(family=family).count() == 1
    assert len(shown(family)) == 1
    return [outcome for outcome in outcomes if outcome is not None]


def test_twenty_products_join_with_the_same_options() -> None:
    refused = join_concurrently(20)
    assert [type(error) for error in refused] == [InvalidValue] * 19
    assert {error.extra["errors"][0]["field"] for error in refused} == {"options"}


def test_control_without_the_familys_lock_the_unique_key_refuses_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leads, "lock", paused(unlocked, 0.05))
    refused = join_concurrently(20)
    assert len(refused) == 19
    assert any(isinstance(error, IntegrityError) for error in refused)


def test_variants_that_are_made_concurrently_are_made_once() -> None:
    family = factories.family(axes=["Size", "Colour"])
    options = {"Size": ["S", "M", "L"], "Colour": ["Red", "Blue"]}
    outcomes = run_concurrently(
        [partial(variants.make_missing, family_id=family.pk, options=options, price=Decimal(0), quantity=1)] * 8
    )
    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    assert Product.objects.filter(family=family).count() == 6
    assert Product.objects.filter(family=family, is_lead=True).count() == 1


def test_products_that_join_while_the_family_is_deleted() -> None:
    family = factories.family()
    products = [factories.product(f"p{number}") for number in range(10)]
    join = partial(catalogue.change, user=None, precondition=lambda row: None, family=family)
    calls: list[Any] = [
        partial(join, product_id=product.pk, options={"Size": str(number)}) for number, product in enumerate(products)
    ]
    calls.insert(5, partial(writing.delete, family_id=family.pk, precondition=lambda row: None))
    outcomes = run_concurrently(calls)
    assert all(outcome is None or isinstance(outcome, DomainError) for outcome in outcomes), outcomes
    assert not Family.objects.exists()
    assert Product.objects.filter(family=None, is_lead=True, options_key=None).count() == 10

"""Changes of prices and of the cart during a checkout."""

from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from rest_framework.request import Request
from rest_framework.test import APIClient

from carts import checkout, requests, views
from carts.checkout import Precondition
from carts.models import Cart, CartItem
from orders.models import OrderLine
from products.inventory import stock
from products.models import Product
from tests import factories
from tests.concurrency.racing import Meanwhile, carts, unlocked_cart, unlocked_products
from tests.signing_in import client_of


@pytest.fixture
def shoe(db: Any) -> Product:
    return factories.product("Shoe", price="10.00")


@pytest.fixture
def cart(shoe: Product) -> Cart:
    return carts(1, (shoe, 1))[0]


@pytest.fixture
def buyer(cart: Cart) -> APIClient:
    return client_of(cart.user)


@pytest.fixture
def raise_price(shoe: Product, staff: APIClient) -> Meanwhile:
    return Meanwhile(partial(staff.patch, f"/products/{shoe.pk}/", {"price": "12.00"}))


def pay(buyer: APIClient, cart: Cart) -> Any:
    """Check out with the ETag of the cart, whose total is 10.00."""
    path = f"/carts/{cart.pk}/"
    return buyer.post(f"{path}checkout/", headers={"If-Match": buyer.get(path)["ETag"]})


def compared_early(request: Request) -> Precondition:
    """The comparison as a decorator of the view would do it: before the transaction."""
    requests.if_match_precondition(request)(Cart.objects.get(pk=request.parser_context["kwargs"]["pk"]))
    return lambda cart: None


def test_a_price_that_rises_before_the_locks_is_not_charged(
    monkeypatch: pytest.MonkeyPatch, buyer: APIClient, cart: Cart, raise_price: Meanwhile
) -> None:
    monkeypatch.setattr(views, "place_order", raise_price.before(views.place_order))
    response = pay(buyer, cart)
    assert raise_price.ended_meanwhile
    assert response.status_code == 412
    assert response.json()["cart"]["total"] == "12.00"


def test_control_compared_before_the_transaction_an_unseen_total_is_charged(
    monkeypatch: pytest.MonkeyPatch, buyer: APIClient, cart: Cart, raise_price: Meanwhile
) -> None:
    monkeypatch.setattr(views, "if_match_precondition", compared_early)
    monkeypatch.setattr(views, "place_order", raise_price.before(views.place_order))
    response = pay(buyer, cart)
    assert (response.status_code, response.json()["total"]) == (201, "12.00")


def test_a_price_does_not_rise_between_the_comparison_and_the_order(
    monkeypatch: pytest.MonkeyPatch, buyer: APIClient, cart: Cart, raise_price: Meanwhile
) -> None:
    monkeypatch.setattr(checkout, "locked_products", raise_price.after(checkout.locked_products))
    response = pay(buyer, cart)
    assert (response.status_code, response.json()["total"]) == (201, "10.00")
    assert not raise_price.ended_meanwhile
    assert raise_price.outcome.status_code == 200


def test_control_without_the_lock_of_the_products_an_old_price_is_charged(
    monkeypatch: pytest.MonkeyPatch, buyer: APIClient, cart: Cart, raise_price: Meanwhile
) -> None:
    monkeypatch.setattr(checkout, "locked_products", raise_price.after(unlocked_products))
    response = pay(buyer, cart)
    assert raise_price.ended_meanwhile
    assert (response.status_code, response.json()["total"]) == (201, "10.00")
    assert Product.objects.get().price == Decimal("12.00")


def add_a_hat(buyer: APIClient) -> Meanwhile:
    hat = factories.product("Hat")
    return Meanwhile(partial(buyer.post, "/cart-items/", {"product": hat.pk, "quantity": 1}))


def ordered_and_in_carts() -> tuple[set[str], set[str]]:
    """The names in the orders, and those in the carts."""
    return (
        set(OrderLine.objects.values_list("name", flat=True)),
        set(CartItem.objects.values_list("product_name", flat=True)),
    )


def test_an_item_added_during_checkout_is_in_the_next_cart(
    monkeypatch: pytest.MonkeyPatch, buyer: APIClient, cart: Cart
) -> None:
    adding = add_a_hat(buyer)
    monkeypatch.setattr(checkout, "locked_products", adding.after(checkout.locked_products))
    assert pay(buyer, cart).status_code == 201
    assert adding.outcome.status_code == 201
    assert ordered_and_in_carts() == ({"Shoe"}, {"Hat"})


def test_control_without_the_lock_of_the_cart_an_added_item_is_lost(
    monkeypatch: pytest.MonkeyPatch, buyer: APIClient, cart: Cart
) -> None:
    adding = add_a_hat(buyer)
    monkeypatch.setattr(checkout, "locked_cart", unlocked_cart)
    monkeypatch.setattr(checkout, "locked_products", adding.after(checkout.locked_products))
    assert pay(buyer, cart).status_code == 201
    assert adding.outcome.status_code == 201
    assert ordered_and_in_carts() == ({"Shoe"}, set())


def test_an_item_changed_during_checkout_is_a_404(
    monkeypatch: pytest.MonkeyPatch, buyer: APIClient, cart: Cart
) -> None:
    changing = Meanwhile(partial(buyer.patch, f"/cart-items/{cart.items.get().pk}/", {"quantity": 3}))
    monkeypatch.setattr(checkout, "locked_products", changing.after(checkout.locked_products))
    assert pay(buyer, cart).json()["items"][0]["quantity"] == 1
    assert changing.outcome.status_code == 404


def test_a_product_deleted_while_it_is_added_is_refused(
    monkeypatch: pytest.MonkeyPatch, buyer: APIClient, staff: APIClient
) -> None:
    hat = factories.product("Hat")
    deleting = Meanwhile(partial(staff.delete, f"/products/{hat.pk}/"))
    monkeypatch.setattr(stock, "check", deleting.after(stock.check))
    response = buyer.post("/cart-items/", {"product": hat.pk, "quantity": 1})
    assert deleting.ended_meanwhile
    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "product")

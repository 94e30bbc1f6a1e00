"""Concurrent writers of one object: one ETag allows one write, and an object is deleted once."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts import address_book, profile
from accounts.models import Address
from carts import items
from carts.models import Cart, CartItem
from products import catalogue, categories
from products.images import lifecycle
from products.inventory import stock
from products.models import Category, Product, ProductImage
from tests import factories
from tests.addresses import BERLIN
from tests.concurrency.racing import Meanwhile, carts, paused
from tests.concurrently import run_concurrently
from tests.signing_in import client_of

# Kind -> the module, its function that locks, and a replacement without the lock.
LOCKS: dict[str, tuple[Any, str, Callable[..., Any]]] = {
    "category": (categories, "locked_category", lambda category_id: Category.objects.get(pk=category_id)),
    "product": (catalogue, "locked_product", lambda product_id: Product.objects.get(pk=product_id)),
    "image": (lifecycle, "locked_image", lambda image: ProductImage.objects.get(pk=image.pk)),
    "item": (
        items,
        "locked_item",
        lambda item: (Cart.objects.get(pk=item.cart_id), CartItem.objects.get(pk=item.pk)),
    ),
    "cart": (items, "locked_cart", lambda rows: rows.get()),
    "account": (profile, "locked_user", lambda user: type(user).objects.get(pk=user.pk)),
    "address": (address_book, "locked_address", lambda user, address_id: Address.objects.get(pk=address_id)),
}
BODIES: dict[str, Callable[[int], dict[str, Any]]] = {
    "category": lambda number: {"name": f"Name {number}"},
    "product": lambda number: {"name": f"Name {number}"},
    "image": lambda number: {"alt_text": f"Text {number}"},
    "item": lambda number: {"quantity": number + 2},
    "cart": lambda number: {"note": f"Note {number}"},
    "account": lambda number: {"first_name": f"Name {number}"},
    "address": lambda number: {"city": f"City {number}"},
}


CONSENT = {"password": factories.PASSWORD}  # required to close an account


class World:
    def __init__(self) -> None:
        self.product = factories.product(quantity=100)
        [self.cart] = carts(1, (self.product, 1))
        image = ProductImage.objects.create(
            product=self.product, original="a.jpg", sha256="a", status="ready", width=3, height=2
        )
        self.paths = {
            "category": f"/categories/{factories.category().pk}/",
            "product": f"/products/{self.product.pk}/",
            "image": f"/products/{self.product.pk}/images/{image.pk}/",
            "item": f"/cart-items/{self.cart.items.get().pk}/",
            "cart": f"/carts/{self.cart.pk}/",
            "account": "/account/",
        }
        self.buyer = client_of(self.cart.user)
        self.paths["address"] = f"/account/addresses/{self.buyer.post('/account/addresses/', BERLIN).json()['id']}/"
        self.staff = client_of(factories.user("stella", is_staff=True, is_superuser=True))

    def client(self, kind: str) -> APIClient:
        return self.buyer if kind in ("item", "cart", "account", "address") else self.staff

    def write(self, kind: str) -> Counter[int]:
        """The statuses of six concurrent writes with the same ETag."""
        client, path = self.client(kind), self.paths[kind]
        headers = {"If-Match": client.get(path)["ETag"]}
        writers = [partial(client.patch, path, BODIES[kind](number), headers=headers) for number in range(6)]
        return Counter(response.status_code for response in run_concurrently(writers))

    def delete(self, kind: str) -> list[int]:
        """The statuses of two concurrent deletions."""
        deletes = [partial(self.client(kind).delete, self.paths[kind], CONSENT)] * 2
        return sorted(response.status_code for response in run_concurrently(deletes))


@pytest.fixture
def world(db: Any) -> World:
    return World()


@pytest.mark.parametrize("kind", BODIES)
def test_one_of_six_concurrent_writers_with_one_etag_wins(
    monkeypatch: pytest.MonkeyPatch, world: World, kind: str
) -> None:
    module, name, _ = LOCKS[kind]
    monkeypatch.setattr(module, name, paused(getattr(module, name), 0.03))
    assert world.write(kind) == {200: 1, 412: 5}


@pytest.mark.parametrize("kind", ["image", "item", "cart", "account", "address"])
def test_control_without_the_lock_several_writers_win(monkeypatch: pytest.MonkeyPatch, world: World, kind: str) -> None:
    module, name, unlocked = LOCKS[kind]
    monkeypatch.setattr(module, name, paused(unlocked, 0.3))
    assert world.write(kind)[200] > 1


@pytest.mark.parametrize("kind", LOCKS)
def test_one_of_two_concurrent_deletions_wins(monkeypatch: pytest.MonkeyPatch, world: World, kind: str) -> None:
    module, name, _ = LOCKS[kind]
    if kind == "account":
        CartItem.objects.all().delete()
    monkeypatch.setattr(module, name, paused(getattr(module, name), 0.03))
    first, second = world.delete(kind)
    assert (first, second) == (204, 401 if kind == "account" else 404)


@pytest.mark.parametrize("kind", ["cart", "item"])
def test_control_without_the_lock_both_deletions_succeed(
    monkeypatch: pytest.MonkeyPatch, world: World, kind: str
) -> None:
    module, name, unlocked = LOCKS[kind]
    monkeypatch.setattr(module, name, paused(unlocked, 0.3))
    assert world.delete(kind) == [204, 204]


# --- A write concurrent with the deletion of its object -------------------------------------


def test_a_cart_is_deleted_during_an_add(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    hat = factories.product("Hat")
    adding = Meanwhile(partial(world.buyer.post, "/cart-items/", {"product": hat.pk, "quantity": 1}))
    monkeypatch.setattr(items, "locked_cart", adding.after(items.locked_cart))
    assert world.buyer.delete(world.paths["cart"]).status_code == 204
    assert adding.outcome.status_code == 201
    assert CartItem.objects.get().cart_id != world.cart.pk


def test_an_account_is_closed_during_an_add(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    hat = factories.product("Hat")
    adding = Meanwhile(partial(world.buyer.post, "/cart-items/", {"product": hat.pk, "quantity": 1}))
    monkeypatch.setattr(items, "delete_cart_of", adding.after(items.delete_cart_of))
    assert world.buyer.delete("/account/", CONSENT).status_code == 204
    assert adding.outcome.status_code in (400, 401, 404, 409)
    assert not Cart.objects.exists()


def test_twenty_concurrent_adds_of_one_product_create_one_item(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    monkeypatch.setattr(stock, "check", paused(stock.check))
    body = {"product": world.product.pk, "quantity": 1}
    responses = run_concurrently([partial(world.buyer.post, "/cart-items/", body)] * 20)
    assert {response.status_code for response in responses} == {200}
    assert CartItem.objects.get().quantity == 21


@pytest.mark.parametrize("writing", ["post", "patch"])
def test_a_category_is_deleted_while_a_product_is_added_to_it(
    monkeypatch: pytest.MonkeyPatch, world: World, writing: str
) -> None:
    category = Category.objects.get()
    deleting = Meanwhile(partial(world.staff.delete, f"/categories/{category.pk}/"))
    monkeypatch.setattr(catalogue, "check_category", deleting.after(catalogue.check_category))
    body = {"name": "Hat", "quantity": 1, "category": category.pk}
    path = "/products/" if writing == "post" else world.paths["product"]
    response = getattr(world.staff, writing)(path, body)
    assert deleting.ended_meanwhile
    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "category")
    assert not Product.objects.filter(name="Hat").exists()


def test_a_parent_is_deleted_while_a_child_is_created(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    parent = Category.objects.get()
    deleting = Meanwhile(partial(world.staff.delete, f"/categories/{parent.pk}/"))
    monkeypatch.setattr(categories, "create", deleting.before(categories.create))
    response = world.staff.post("/categories/", {"name": "Boots", "parent": parent.pk})
    assert deleting.ended_meanwhile
    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "parent")


@pytest.mark.parametrize("kind", BODIES)
def test_a_write_after_a_deletion_is_a_404(monkeypatch: pytest.MonkeyPatch, world: World, kind: str) -> None:
    module, name, _ = LOCKS[kind]
    deleting = Meanwhile(partial(world.client(kind).delete, world.paths[kind], CONSENT))
    monkeypatch.setattr(module, name, deleting.before(getattr(module, name)))
    response = world.client(kind).patch(world.paths[kind], BODIES[kind](1))
    assert deleting.outcome.status_code == 204
    assert response.status_code == (401 if kind == "account" else 404)


def test_a_product_deleted_before_the_response_is_rendered_is_a_404(
    monkeypatch: pytest.MonkeyPatch, world: World
) -> None:
    deleting = Meanwhile(partial(world.staff.delete, world.paths["product"]))
    monkeypatch.setattr(catalogue, "change", deleting.after(catalogue.change))
    assert world.staff.patch(world.paths["product"], {"name": "Hat"}).status_code == 404

"""A stateful property test: random requests to the shop and to a model of it; both must agree after every step.

Longer: `HYPOTHESIS_PROFILE=long python -m pytest tests/carts/test_checkout_machine.py`.
"""

import os
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from rest_framework.test import APIClient

from carts.models import Cart
from orders.models import Order
from products.inventory import ledger
from products.models import Product
from tests import factories
from tests.signing_in import without_token

pytestmark = pytest.mark.django_db

QUIET: dict[str, Any] = {"deadline": None, "suppress_health_check": list(HealthCheck)}
# The short runs do not shrink a failure; the long run does.
SHORT: dict[str, Any] = {"derandomize": True, "database": None, "phases": (Phase.explicit, Phase.generate), **QUIET}
settings.register_profile("short", max_examples=4, stateful_step_count=20, **SHORT)
settings.register_profile("medium", max_examples=16, stateful_step_count=20, **SHORT)  # of `make test-services`
settings.register_profile("long", max_examples=300, stateful_step_count=60, **QUIET)

PRODUCTS, CUSTOMERS = 3, 2
which_product = st.integers(0, PRODUCTS - 1)
which_customer = st.integers(0, CUSTOMERS - 1)
pieces = st.integers(1, 4)


@dataclass
class ShopProduct:
    """The model of a product."""

    id: int
    name: str
    price: Decimal
    quantity: int
    shown: bool = True
    deleted: bool = False
    sku: str = ""

    @property
    def available(self) -> int:
        return self.quantity if self.shown and not self.deleted else 0


@dataclass
class ShopOrder:
    owner: int
    lines: list[tuple[ShopProduct, int]]
    total: str
    status: str = "paid"
    # Pieces of each product that are not in the order any more: they went back in stock.
    restocked: Counter[int] = field(default_factory=Counter)


@dataclass
class Basket:
    """The model of a cart: the pieces of each product, in the order of adding."""

    id: int
    items: dict[int, int] = field(default_factory=dict)


@dataclass
class Sent:
    """A successful checkout with a key, and its response."""

    customer: int
    path: str
    key: str
    response: Any


class Shop(RuleBasedStateMachine):
    customers: list[APIClient]
    staff: APIClient
    delivery = Decimal(0)  # what it costs

    @initialize()
    def open(self) -> None:
        Order.objects.all().delete()
        Cart.objects.all().delete()
        Product.objects.all().delete()
        self.baskets: dict[int, Basket] = {}
        self.orders: dict[str, ShopOrder] = {}
        self.sent: list[Sent] = []
        self.products = [self.create_product(f"Shoe {number}") for number in range(PRODUCTS)]

    def create_product(self, name: str) -> ShopProduct:
        response = self.staff.post("/products/", {"name": name, "price": "10.00", "quantity": 5})
        return ShopProduct(response.json()["id"], name, Decimal("10.00"), 5, sku=response.json()["sku"])

    # --- Customers ---

    @rule(customer=which_customer, product=which_product, quantity=pieces)
    def add(self, customer: int, product: int, quantity: int) -> None:
        wanted = self.products[product]
        response = self.customers[customer].post("/cart-items/", {"product": wanted.id, "quantity": quantity})
        basket = self.baskets.get(customer)
        previous = basket.items.get(product, 0) if basket else 0
        if not wanted.shown or wanted.deleted:
            assert response.status_code == 400
        elif previous + quantity > wanted.quantity:
            assert response.json()["shortages"] == [self.shortage(product, previous + quantity)]
        else:
            assert response.status_code == (200 if previous else 201)
            basket = self.baskets.setdefault(customer, Basket(response.json()["cart"]))
            basket.items[product] = previous + quantity
            assert response.json()["quantity"] == previous + quantity

    @rule(customer=which_customer, product=which_product, patch=st.booleans())
    def buy(self, customer: int, product: int, patch: bool) -> None:
        """Add and check out in one step, so that later steps find orders."""
        self.add(customer, product, 1)
        if customer in self.baskets:
            self.check_out(customer, keyed=True, seen="now", patch=patch)

    @precondition(lambda self: self.baskets)
    @rule(data=st.data(), quantity=st.integers(0, 6))
    def change(self, data: Any, quantity: int) -> None:
        """Change an item's quantity; 0 removes it."""
        customer = data.draw(st.sampled_from(sorted(self.baskets)))
        items = self.baskets[customer].items
        shown = self.cart(customer)["items"]
        if not items:
            return
        position = data.draw(st.integers(0, len(items) - 1))
        product = list(items)[position]
        path, client = f"/cart-items/{shown[position]['id']}/", self.customers[customer]
        if quantity == 0:
            assert client.delete(path).status_code == 204
            del items[product]
        elif (response := client.patch(path, {"quantity": quantity})).status_code == 409:
            assert response.json()["shortages"] == [self.shortage(product, quantity)]
        else:
            assert response.status_code == 200
            assert quantity <= self.products[product].available
            items[product] = quantity

    @precondition(lambda self: self.baskets)
    @rule(data=st.data(), keyed=st.booleans(), seen=st.sampled_from(["nothing", "now", "before"]), patch=st.booleans())
    def pay(self, data: Any, keyed: bool, seen: str, patch: bool) -> None:
        self.check_out(data.draw(st.sampled_from(sorted(self.baskets))), keyed=keyed, seen=seen, patch=patch)

    def check_out(self, customer: int, *, keyed: bool, seen: str, patch: bool) -> None:
        basket = self.baskets[customer]
        headers = {"Idempotency-Key": f"key-{customer}-{len(self.orders)}"} if keyed else {}
        if seen != "nothing":
            headers["If-Match"] = self.tag(customer) if seen == "now" else '"another"'
        path = f"/carts/{basket.id}/" if patch else f"/carts/{basket.id}/checkout/"
        before = self.cart(customer)
        response = self.send(customer, path, headers)
        if seen == "before":
            assert (response.status_code, response.json()["cart"]) == (412, before)
        elif not basket.items:
            assert response.json()["type"] == "/problems/empty-cart"
        elif short := self.shortages(basket):
            assert response.status_code == 409
            assert response.json()["shortages"] == short
        else:
            assert response.status_code == (200 if patch else 201)
            if patch:
                assert {**before, "completed": True, "order": response.json()["order"]} == response.json()
            self.sold(customer, response.json()["order" if patch else "number"], before["total"])
            if keyed:
                self.sent.append(Sent(customer, path, headers["Idempotency-Key"], response.json()))

    def sold(self, customer: int, number: str, total: str) -> None:
        lines = [(self.products[product], quantity) for product, quantity in self.baskets.pop(customer).items.items()]
        for product, quantity in lines:
            product.quantity -= quantity
        self.orders[number] = ShopOrder(customer, lines, f"{Decimal(total) + self.delivery:.2f}")

    @precondition(lambda self: self.sent)
    @rule(data=st.data(), altered=st.booleans())
    def replay(self, data: Any, altered: bool) -> None:
        """Repeat a key: the same request returns the same order, another one is refused."""
        sent = data.draw(st.sampled_from(self.sent))
        path = "/carts/999999/checkout/" if altered else sent.path
        response = self.send(sent.customer, path, {"Idempotency-Key": sent.key, "If-Match": '"stale"'})
        if altered:
            assert response.status_code == 422
            return
        assert response["Idempotent-Replayed"] == "true"
        number = sent.response.get("number")
        # An order is in its current state; a completed cart is as it was.
        expected = {**sent.response, **self.now(number)} if number else sent.response
        unlike = {"customer"}  # for staff alone, who read the order here
        shown, expected = ({k: v for k, v in each.items() if k not in unlike} for each in (response.json(), expected))
        assert shown == expected

    @precondition(lambda self: self.orders)
    @rule(data=st.data(), by_staff=st.booleans(), step=st.sampled_from(["cancel", "fulfil"]))
    def change_status(self, data: Any, by_staff: bool, step: str) -> None:
        self.set_status(data.draw(st.sampled_from(list(self.orders))), by_staff=by_staff, step=step)

    def set_status(self, number: str, *, by_staff: bool, step: str) -> None:
        order = self.orders[number]
        client = self.staff if by_staff else self.customers[order.owner]
        response = client.post(f"/orders/{number}/{step}/")
        if step == "fulfil" and not by_staff:
            assert response.status_code == 403
        elif order.status in ("fulfilled", "expired") or (step == "fulfil" and order.status != "paid"):
            assert response.json()["type"] == "/problems/order-state"
        else:
            assert response.status_code == 200
            if order.status != "cancelled" and step == "cancel":
                self.restock(order)
            order.status = "cancelled" if step == "cancel" else "fulfilled"
            assert response.json()["status"] == order.status

    def restock(self, order: ShopOrder) -> None:
        """What a cancelled or expired order puts back in stock."""
        for product, quantity in order.lines:
            product.quantity += quantity - order.restocked[product.id]

    # --- Staff ---

    @rule(
        product=which_product,
        change=st.one_of(
            st.fixed_dictionaries({"quantity": st.integers(0, 8)}),
            st.fixed_dictionaries({"price": st.sampled_from(["10.00", "0.99", "12.50"])}),
            st.fixed_dictionaries({"is_active": st.booleans()}),
        ),
    )
    def edit(self, product: int, change: dict[str, Any]) -> None:
        edited = self.products[product]
        response = self.staff.patch(f"/products/{edited.id}/", change)
        if edited.deleted:
            assert response.status_code == 404
            return
        assert response.status_code == 200
        edited.quantity = change.get("quantity", edited.quantity)
        edited.price = Decimal(change.get("price", edited.price))
        edited.shown = change.get("is_active", edited.shown)

    @rule(product=which_product, chance=st.integers(0, 5))
    def delete(self, product: int, chance: int) -> None:
        """Delete a product, rarely, since it is not created again."""
        if chance == 0 and not self.products[product].deleted:
            assert self.staff.delete(f"/products/{self.products[product].id}/").status_code == 204
            self.products[product].deleted = True

    # --- Invariants ---

    @invariant()
    def stock_equals_the_model(self) -> None:
        existing = [product for product in self.products if not product.deleted]
        assert [(balance.pk, balance.quantity) for balance in ledger.balances()] == [
            (product.id, product.quantity) for product in existing
        ]
        assert all(balance.is_correct for balance in ledger.balances())

    @invariant()
    def carts_equal_the_model(self) -> None:
        carts = {cart["id"]: cart for cart in self.staff.get("/carts/?limit=100").json()["results"]}
        assert set(carts) == {basket.id for basket in self.baskets.values()}
        for basket in self.baskets.values():
            shown = carts[basket.id]
            products = [self.products[product] for product in basket.items]
            assert [(item["product_name"], item["quantity"]) for item in shown["items"]] == [
                (product.name, quantity) for product, quantity in zip(products, basket.items.values(), strict=True)
            ]
            prices = [Decimal(0) if product.deleted else product.price for product in products]
            total = sum((price * n for price, n in zip(prices, basket.items.values(), strict=True)), Decimal("0.00"))
            assert (shown["total"], shown["completed"]) == (f"{total:.2f}", False)

    @invariant()
    def orders_equal_the_model(self) -> None:
        shown = {order["number"]: order for order in self.staff.get("/orders/?limit=100").json()["results"]}
        assert set(shown) == set(self.orders)
        for number, order in self.orders.items():
            assert (shown[number]["status"], shown[number]["total"]) == (order.status, order.total)
            assert Counter((item["name"], item["quantity"]) for item in shown[number]["items"]) == Counter(
                (product.name, quantity) for product, quantity in order.lines
            )
            paid = sum((Decimal(item["line_total"]) for item in shown[number]["items"]), Decimal("0.00"))
            assert f"{paid + self.delivery:.2f}" == order.total

    # --- Requests ---

    def send(self, customer: int, path: str, headers: dict[str, str]) -> Any:
        client = self.customers[customer]
        if path.endswith("/checkout/"):
            return client.post(path, headers=headers)
        return client.patch(path, {"completed": True}, headers=headers)

    def cart(self, customer: int) -> Any:
        return self.customers[customer].get(f"/carts/{self.baskets[customer].id}/").json()

    def tag(self, customer: int) -> str:
        return self.customers[customer].get(f"/carts/{self.baskets[customer].id}/")["ETag"]

    def now(self, number: str) -> Any:
        return self.staff.get(f"/orders/{number}/").json()

    def shortages(self, basket: Basket) -> list[dict[str, Any]]:
        """Return the shortages: existing products by id, then deleted ones in the order of the cart."""
        short = [pk for pk, quantity in basket.items.items() if quantity > self.products[pk].available]
        existing = sorted(product for product in short if not self.products[product].deleted)
        deleted = [product for product in short if self.products[product].deleted]
        return [self.shortage(product, basket.items[product]) for product in existing + deleted]

    def shortage(self, product: int, requested: int) -> dict[str, Any]:
        wanted = self.products[product]
        return {
            "product": None if wanted.deleted else wanted.id,
            "name": wanted.name,
            "requested": requested,
            "available": wanted.available,
        }


def test_the_shop_and_its_model_agree() -> None:
    Shop.customers = [without_token(factories.user(f"buyer{number}")) for number in range(CUSTOMERS)]
    Shop.staff = without_token(factories.user("stella", is_staff=True, is_superuser=True))
    profile = settings.get_profile(os.environ.get("HYPOTHESIS_PROFILE", "short"))
    run_state_machine_as_test(Shop, settings=profile)

"""A shop driven at random over HTTP beside a model of it; both must agree after every step.

More of it: `HYPOTHESIS_PROFILE=long python -m pytest tests/carts/test_checkout_machine.py`.
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
from products import ledger
from products.models import Product
from tests import factories

pytestmark = pytest.mark.django_db

QUIET: dict[str, Any] = {"deadline": None, "suppress_health_check": list(HealthCheck)}
# Not shrunk: a failure of the short run shows at once, and the long one makes it small.
WHOLE = (Phase.explicit, Phase.generate)
settings.register_profile(
    "short", max_examples=8, stateful_step_count=20, derandomize=True, database=None, phases=WHOLE, **QUIET
)
settings.register_profile("long", max_examples=300, stateful_step_count=60, **QUIET)

PRODUCTS, CUSTOMERS = 3, 2
which_product = st.integers(0, PRODUCTS - 1)
which_customer = st.integers(0, CUSTOMERS - 1)
pieces = st.integers(1, 4)


@dataclass
class ShopProduct:
    """What the model knows of a product; `quantity` and `price` end with it."""

    id: int
    name: str
    price: Decimal
    quantity: int
    shown: bool = True
    deleted: bool = False

    @property
    def available(self) -> int:
        return self.quantity if self.shown and not self.deleted else 0


@dataclass
class ShopOrder:
    owner: int
    lines: list[tuple[ShopProduct, int]]
    total: str
    status: str = "paid"


@dataclass
class Basket:
    """A customer's cart: the pieces of each product, in the order in which they were put in."""

    id: int
    items: dict[int, int] = field(default_factory=dict)


@dataclass
class Sent:
    """A checkout that went through under a key, and what it answered."""

    customer: int
    path: str
    key: str
    answer: Any


class Shop(RuleBasedStateMachine):
    customers: list[APIClient]
    staff: APIClient

    @initialize()
    def open(self) -> None:
        Order.objects.all().delete()
        Cart.objects.all().delete()
        Product.objects.all().delete()
        self.baskets: dict[int, Basket] = {}
        self.orders: dict[str, ShopOrder] = {}
        self.sent: list[Sent] = []
        self.products = [self.made(f"Shoe {number}") for number in range(PRODUCTS)]

    def made(self, name: str) -> ShopProduct:
        answer = self.staff.post("/products/", {"name": name, "price": "10.00", "quantity": 5})
        return ShopProduct(answer.json()["id"], name, Decimal("10.00"), 5)

    # --- Customers ---

    @rule(customer=which_customer, product=which_product, quantity=pieces)
    def add(self, customer: int, product: int, quantity: int) -> None:
        wanted = self.products[product]
        answer = self.customers[customer].post("/cart-items/", {"product": wanted.id, "quantity": quantity})
        basket = self.baskets.get(customer)
        had = basket.items.get(product, 0) if basket else 0
        if not wanted.shown or wanted.deleted:
            assert answer.status_code == 400
        elif had + quantity > wanted.quantity:
            assert answer.json()["shortages"] == [self.shortage(product, had + quantity)]
        else:
            assert answer.status_code == (200 if had else 201)
            basket = self.baskets.setdefault(customer, Basket(answer.json()["cart"]))
            basket.items[product] = had + quantity
            assert answer.json()["quantity"] == had + quantity

    @rule(customer=which_customer, product=which_product, patch=st.booleans())
    def buy(self, customer: int, product: int, patch: bool) -> None:
        """Add and check out in one go, so that there are orders to go on with."""
        self.add(customer, product, 1)
        if customer in self.baskets:
            self.check_out(customer, keyed=True, seen="now", patch=patch)

    @precondition(lambda self: self.baskets)
    @rule(data=st.data(), quantity=st.integers(0, 6))
    def change(self, data: Any, quantity: int) -> None:
        """Another quantity for an item; none at all takes it out."""
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
        elif (answer := client.patch(path, {"quantity": quantity})).status_code == 409:
            assert answer.json()["shortages"] == [self.shortage(product, quantity)]
        else:
            assert answer.status_code == 200
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
        answer = self.ask(customer, path, headers)
        if seen == "before":
            assert (answer.status_code, answer.json()["cart"]) == (412, before)
        elif not basket.items:
            assert answer.json()["type"] == "/problems/empty-cart"
        elif short := self.shortages(basket):
            assert answer.status_code == 409
            assert answer.json()["shortages"] == short
        else:
            assert answer.status_code == (200 if patch else 201)
            if patch:
                assert {**before, "completed": True, "order": answer.json()["order"]} == answer.json()
            self.sold(customer, answer.json()["order" if patch else "number"], before["total"])
            if keyed:
                self.sent.append(Sent(customer, path, headers["Idempotency-Key"], answer.json()))

    def sold(self, customer: int, number: str, total: str) -> None:
        lines = [(self.products[product], quantity) for product, quantity in self.baskets.pop(customer).items.items()]
        for product, quantity in lines:
            product.quantity -= quantity
        self.orders[number] = ShopOrder(customer, lines, total)

    @precondition(lambda self: self.sent)
    @rule(data=st.data(), twisted=st.booleans())
    def replay(self, data: Any, twisted: bool) -> None:
        """The same key again: with the same request the same order, with another a refusal."""
        sent = data.draw(st.sampled_from(self.sent))
        path = "/carts/1/checkout/" if twisted else sent.path
        answer = self.ask(sent.customer, path, {"Idempotency-Key": sent.key, "If-Match": '"stale"'})
        if twisted:
            assert answer.status_code == 422
            return
        assert answer["Idempotent-Replayed"] == "true"
        number = sent.answer.get("number")
        # An order is shown as it is now; a completed cart as it was.
        assert answer.json() == ({**sent.answer, **self.now(number)} if number else sent.answer)

    @precondition(lambda self: self.orders)
    @rule(data=st.data(), by_staff=st.booleans(), step=st.sampled_from(["cancel", "fulfil"]))
    def move_on(self, data: Any, by_staff: bool, step: str) -> None:
        number = data.draw(st.sampled_from(sorted(self.orders)))
        order = self.orders[number]
        client = self.staff if by_staff else self.customers[order.owner]
        answer = client.post(f"/orders/{number}/{step}/")
        if step == "fulfil" and not by_staff:
            assert answer.status_code == 403
        elif order.status == "fulfilled" or (order.status == "cancelled" and step == "fulfil"):
            assert answer.json()["type"] == "/problems/order-state"
        else:
            assert answer.status_code == 200
            if order.status == "paid" and step == "cancel":
                for product, quantity in order.lines:
                    product.quantity += quantity
            order.status = "cancelled" if step == "cancel" else "fulfilled"
            assert answer.json()["status"] == order.status

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
        answer = self.staff.patch(f"/products/{edited.id}/", change)
        if edited.deleted:
            assert answer.status_code == 404
            return
        assert answer.status_code == 200
        edited.quantity = change.get("quantity", edited.quantity)
        edited.price = Decimal(change.get("price", edited.price))
        edited.shown = change.get("is_active", edited.shown)

    @rule(product=which_product, luck=st.integers(0, 5))
    def delete(self, product: int, luck: int) -> None:
        """Seldom, for what is deleted does not come back; another product takes its place in no cart."""
        if luck == 0 and not self.products[product].deleted:
            assert self.staff.delete(f"/products/{self.products[product].id}/").status_code == 204
            self.products[product].deleted = True

    # --- What always holds ---

    @invariant()
    def the_stock_is_what_the_model_says(self) -> None:
        there = [product for product in self.products if not product.deleted]
        assert [(balance.product_id, balance.quantity) for balance in ledger.balances()] == [
            (product.id, product.quantity) for product in there
        ]
        assert all(balance.holds for balance in ledger.balances())

    @invariant()
    def the_carts_are_what_the_model_says(self) -> None:
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
    def the_orders_are_what_the_model_says(self) -> None:
        shown = {order["number"]: order for order in self.staff.get("/orders/?limit=100").json()["results"]}
        assert set(shown) == set(self.orders)
        for number, order in self.orders.items():
            assert (shown[number]["status"], shown[number]["total"]) == (order.status, order.total)
            assert Counter((item["name"], item["quantity"]) for item in shown[number]["items"]) == Counter(
                (product.name, quantity) for product, quantity in order.lines
            )
            paid = sum((Decimal(item["line_total"]) for item in shown[number]["items"]), Decimal("0.00"))
            assert f"{paid:.2f}" == order.total

    # --- Asking ---

    def ask(self, customer: int, path: str, headers: dict[str, str]) -> Any:
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
        """Those of products that are there by id, then those of deleted ones, as they stand in the cart."""
        short = [pk for pk, quantity in basket.items.items() if quantity > self.products[pk].available]
        there = sorted(product for product in short if not self.products[product].deleted)
        gone = [product for product in short if self.products[product].deleted]
        return [self.shortage(product, basket.items[product]) for product in there + gone]

    def shortage(self, product: int, requested: int) -> dict[str, Any]:
        wanted = self.products[product]
        return {
            "product": None if wanted.deleted else wanted.id,
            "name": wanted.name,
            "requested": requested,
            "available": wanted.available,
        }


def client_of(user: Any) -> APIClient:
    """Signed in for good: the tokens of a long run would expire."""
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(user)
    return client


def test_the_shop_and_its_model_agree() -> None:
    Shop.customers = [client_of(factories.user(f"buyer{number}")) for number in range(CUSTOMERS)]
    Shop.staff = client_of(factories.user("stella", is_staff=True, is_superuser=True))
    profile = settings.get_profile(os.environ.get("HYPOTHESIS_PROFILE", "short"))
    run_state_machine_as_test(Shop, settings=profile)

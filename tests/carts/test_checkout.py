"""Checkout through every door: all or nothing, once, at the price that was seen."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from rest_framework.test import APIClient

from carts.models import Cart, CartItem
from orders.models import Order
from outbox.models import Mail
from productbackend.errors import DomainError
from products.models import Product, StockMovement
from tests import factories

pytestmark = pytest.mark.django_db


def fill(client: APIClient, *wanted: tuple[Product, int]) -> int:
    for product, quantity in wanted:
        answer = client.post("/cart-items/", {"product": product.pk, "quantity": quantity})
        assert answer.status_code in (200, 201), answer.content
    return client.get("/carts/").json()["results"][0]["id"]


def stock(product: Product) -> int:
    return Product.objects.get(pk=product.pk).quantity


def test_a_cart_becomes_an_order(customer: APIClient) -> None:
    shoe = factories.product("Red shoe", price="19.90", quantity=5, sku="R-1")
    hat = factories.product("Hat", price="5.05", quantity=1)
    cart = fill(customer, (shoe, 2), (hat, 1))
    answer = customer.post(f"/carts/{cart}/checkout/")
    assert answer.status_code == 201
    body = answer.json()
    assert answer["Location"].endswith(f"/orders/{body['number']}/")
    assert (body["status"], body["total"], body["currency"]) == ("paid", "44.85", "EUR")
    assert body["items"][0] == {
        "product": shoe.pk,
        "sku": "R-1",
        "name": "Red shoe",
        "unit_price": "19.90",
        "quantity": 2,
        "line_total": "39.80",
    }
    assert (stock(shoe), stock(hat)) == (3, 0)
    assert customer.get(f"/carts/{cart}/").status_code == 404
    assert customer.get(answer["Location"]).json() == body
    sales = StockMovement.objects.filter(reason="sale").values_list(
        "product", "delta", "order_number", "user__username"
    )
    assert set(sales) == {(shoe.pk, -2, body["number"], "carla"), (hat.pk, -1, body["number"], "carla")}
    mail = Mail.objects.get(kind="order-confirmation")
    assert (mail.recipient, mail.reference) == ("carla@example.com", body["number"])


def test_every_shortage_is_named_and_nothing_is_changed(customer: APIClient) -> None:
    few, hidden, plenty = (factories.product(name, quantity=5) for name in ("Few", "Hidden", "Plenty"))
    cart = fill(customer, (few, 4), (hidden, 1), (plenty, 1))
    Product.objects.filter(pk=few.pk).update(quantity=3)
    Product.objects.filter(pk=hidden.pk).update(is_active=False)
    for answer in (customer.post(f"/carts/{cart}/checkout/"), customer.patch(f"/carts/{cart}/", {"completed": True})):
        assert answer.status_code == 409
        assert answer.json()["shortages"] == [
            {"product": few.pk, "name": "Few", "requested": 4, "available": 3},
            {"product": hidden.pk, "name": "Hidden", "requested": 1, "available": 0},
        ]
    assert (stock(few), stock(hidden), stock(plenty)) == (3, 5, 5)
    assert not Order.objects.exists()
    assert not StockMovement.objects.filter(reason="sale").exists()
    assert customer.get(f"/carts/{cart}/").json()["completed"] is False


def test_an_empty_cart_and_one_that_was_ordered_are_refused(customer: APIClient, other_customer: APIClient) -> None:
    cart = customer.post("/carts/").json()["id"]
    empty = customer.post(f"/carts/{cart}/checkout/")
    assert (empty.status_code, empty.json()["type"]) == (409, "/problems/empty-cart")
    fill(customer, (factories.product(), 1))
    number = customer.post(f"/carts/{cart}/checkout/").json()["number"]
    for again in (customer.post(f"/carts/{cart}/checkout/"), customer.put(f"/carts/{cart}/", {"completed": True})):
        assert (again.status_code, again.json()["type"]) == (409, "/problems/already-ordered")
        assert again.json()["order"] == number
    assert other_customer.post(f"/carts/{cart}/checkout/").status_code == 404
    assert customer.post("/carts/").json()["id"] != cart


@pytest.mark.parametrize("method", ["put", "patch"])
def test_completing_a_cart_checks_it_out(customer: APIClient, method: str) -> None:
    product = factories.product(price="2.00", quantity=5)
    cart = fill(customer, (product, 2))
    before = customer.get(f"/carts/{cart}/").json()
    answer = getattr(customer, method)(f"/carts/{cart}/", {"completed": True})
    assert answer.status_code == 200
    order = Order.objects.get()
    assert answer.json() == {**before, "completed": True, "order": order.number}
    assert stock(product) == 3
    assert not Cart.objects.exists()


def test_a_cart_takes_completed_alone(customer: APIClient) -> None:
    cart = customer.post("/carts/").json()
    path = f"/carts/{cart['id']}/"
    assert customer.patch(path, {}).json() == cart
    assert customer.put(path, {"completed": False}).json() == cart
    assert customer.put(path, {}).status_code == 400
    assert customer.patch(path, {"completed": "perhaps"}).status_code == 400
    assert customer.delete(path).status_code == 204


def test_nobody_pays_a_total_that_they_did_not_see(customer: APIClient) -> None:
    product = factories.product(price="10.00", quantity=5)
    cart = fill(customer, (product, 1))
    path = f"/carts/{cart}/"
    tag = customer.get(path)["ETag"]
    Product.objects.filter(pk=product.pk).update(price="12.00")
    refusals = [
        customer.post(f"{path}checkout/", headers={"If-Match": tag}),
        customer.patch(path, {"completed": True}, headers={"If-Match": tag}),
    ]
    for refused in refusals:
        assert refused.status_code == 412
        assert refused.json()["cart"] == customer.get(path).json()
        assert refused.json()["cart"]["total"] == "12.00"
    assert stock(product) == 5
    now = customer.get(path)["ETag"]
    assert now != tag
    assert customer.post(f"{path}checkout/", headers={"If-Match": f"W/{now}"}).json()["total"] == "12.00"


def test_the_same_key_and_request_answer_with_the_same_order(customer: APIClient) -> None:
    product = factories.product(quantity=5)
    cart = fill(customer, (product, 1))
    path, key = f"/carts/{cart}/checkout/", {"Idempotency-Key": "a-key"}
    first = customer.post(path, headers=key)
    again = customer.post(path, headers={**key, "If-Match": '"stale"'})
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert "Idempotent-Replayed" not in first
    assert again["Idempotent-Replayed"] == "true"
    assert stock(product) == 4
    other_cart = fill(customer, (product, 1))
    for other in (
        customer.post(f"/carts/{other_cart}/checkout/", headers=key),
        customer.post(path, {"note": "x"}, headers=key),
        customer.patch(f"/carts/{cart}/", {"completed": True}, headers=key),
    ):
        assert (other.status_code, other.json()["type"]) == (422, "/problems/idempotency-key-reused")
    assert stock(product) == 4


def test_a_completion_is_replayed_as_it_was(customer: APIClient) -> None:
    cart = fill(customer, (factories.product(quantity=5), 1))
    path, key = f"/carts/{cart}/", {"Idempotency-Key": "a-key"}
    first = customer.patch(path, {"completed": True}, headers=key)
    again = customer.patch(path, {"completed": True}, headers=key)
    assert again["Idempotent-Replayed"] == "true"
    assert again.json() == first.json()


def test_a_refused_checkout_does_not_use_up_its_key(customer: APIClient) -> None:
    product = factories.product(quantity=2)
    cart = fill(customer, (product, 2))
    Product.objects.filter(pk=product.pk).update(quantity=1)
    path, key = f"/carts/{cart}/checkout/", {"Idempotency-Key": "a-key"}
    assert customer.post(path, headers=key).status_code == 409
    Product.objects.filter(pk=product.pk).update(quantity=2)
    assert customer.post(path, headers=key).status_code == 201


def test_a_key_has_up_to_255_characters_and_is_its_users_own(customer: APIClient, other_customer: APIClient) -> None:
    product = factories.product(quantity=5)
    key = {"Idempotency-Key": "k" * 255}
    cart = fill(customer, (product, 1))
    refused = customer.post(f"/carts/{cart}/checkout/", headers={"Idempotency-Key": "k" * 256})
    assert refused.status_code == 400
    assert customer.post(f"/carts/{cart}/checkout/", headers=key).status_code == 201
    other = fill(other_customer, (product, 1))
    assert other_customer.post(f"/carts/{other}/checkout/", headers=key).status_code == 201


def test_staff_check_out_for_a_customer_whose_order_it_is(customer: APIClient, staff: APIClient) -> None:
    cart = fill(customer, (factories.product(), 1))
    number = staff.post(f"/carts/{cart}/checkout/", headers={"Idempotency-Key": "k"}).json()["number"]
    assert customer.get(f"/orders/{number}/").status_code == 200
    people = Order.objects.values_list("user__username", "placed_by__username")
    assert list(people) == [("carla", "stella")]


def confirm_address(name: str) -> None:
    get_user_model().objects.filter(username=name).update(email_verified=True)


@pytest.mark.parametrize(("method", "path"), [("post", "checkout/"), ("put", ""), ("patch", "")])
def test_a_shop_may_ask_for_a_confirmed_address(
    customer: APIClient, staff: APIClient, settings: Any, method: str, path: str
) -> None:
    settings.REQUIRE_VERIFIED_EMAIL = True
    shoe = factories.product(quantity=5)
    cart = fill(customer, (shoe, 2))

    def check_out(client: APIClient, **headers: Any) -> Any:
        return getattr(client, method)(f"/carts/{cart}/{path}", {"completed": True}, headers=headers)

    refused = check_out(customer, **{"Idempotency-Key": "k"})
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/forbidden")
    assert "Confirm your e-mail address" in refused.json()["detail"]
    assert (stock(shoe), Order.objects.count(), Mail.objects.count()) == (5, 0, 0)
    assert customer.get(f"/carts/{cart}/").json()["completed"] is False
    confirm_address("carla")
    assert check_out(customer, **{"Idempotency-Key": "k"}).status_code in (200, 201)
    assert stock(shoe) == 3


def test_staff_complete_a_cart_whose_owner_has_not_confirmed(
    customer: APIClient, staff: APIClient, settings: Any
) -> None:
    settings.REQUIRE_VERIFIED_EMAIL = True
    shoe = factories.product(quantity=5)
    assert staff.post(f"/carts/{fill(customer, (shoe, 2))}/checkout/").status_code == 201
    cart = Cart.objects.get(pk=fill(customer, (shoe, 1)))
    cart.completed = True
    cart.save()  # as the admin does
    assert (stock(shoe), Order.objects.filter(user__username="carla").count()) == (2, 2)


def filled_cart(quantity: int = 1) -> tuple[Cart, Product]:
    product = factories.product(quantity=5)
    cart = Cart.objects.create(user=factories.user())
    CartItem.objects.create(cart=cart, product=product, quantity=quantity)
    return cart, product


def test_saving_a_completed_cart_is_a_checkout() -> None:
    cart, product = filled_cart(2)
    cart.completed = True
    cart.save()
    assert stock(product) == 3
    assert Order.objects.get().cart_id == cart.pk
    assert not Cart.objects.exists()
    with pytest.raises(Exception, match="did not affect any rows"):
        cart.save()
    assert not Cart.objects.exists()


def test_after_a_shortage_completed_is_still_false() -> None:
    cart, product = filled_cart(2)
    Product.objects.filter(pk=product.pk).update(quantity=1)
    cart.completed = True
    with pytest.raises(DomainError, match="not enough"):
        cart.save()
    assert Cart.objects.get().completed is False
    assert stock(product) == 1


def test_two_lines_of_one_product_are_added_up() -> None:
    cart, product = filled_cart(3)
    CartItem.objects.create(cart=cart, product=product, quantity=3)
    cart.completed = True
    with pytest.raises(DomainError) as refused:
        cart.save()
    assert refused.value.extra["shortages"] == [
        {"product": product.pk, "name": "Red shoe", "requested": 6, "available": 5}
    ]
    assert stock(product) == 5


def test_saving_an_item_checks_the_stock() -> None:
    cart, product = filled_cart()
    with pytest.raises(DomainError, match="not enough"):
        CartItem.objects.create(cart=cart, product=product, quantity=6)


def orders_of(client: APIClient) -> list[Any]:
    return client.get("/orders/").json()["results"]


def test_orders_are_their_owners_and_staffs(customer: APIClient, other_customer: APIClient, staff: APIClient) -> None:
    product = factories.product()
    first = customer.post(f"/carts/{fill(customer, (product, 1))}/checkout/").json()
    second = customer.post(f"/carts/{fill(customer, (product, 2))}/checkout/").json()
    assert orders_of(customer) == [second, first]
    assert customer.get("/orders/?ordering=total").json()["results"] == [first, second]
    assert orders_of(other_customer) == []
    assert other_customer.get(f"/orders/{first['number']}/").status_code == 404
    assert other_customer.post(f"/orders/{first['number']}/cancel/").status_code == 404
    assert orders_of(staff) == [second, first]


def test_a_cancelled_order_is_restocked_once(customer: APIClient) -> None:
    product = factories.product(quantity=5)
    number = customer.post(f"/carts/{fill(customer, (product, 2))}/checkout/").json()["number"]
    for _ in range(3):
        answer = customer.post(f"/orders/{number}/cancel/")
        assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert stock(product) == 5
    assert StockMovement.objects.filter(reason="restock").count() == 1


def test_an_order_is_fulfilled_by_staff_and_then_not_cancelled(customer: APIClient, staff: APIClient) -> None:
    product = factories.product(quantity=5)
    number = customer.post(f"/carts/{fill(customer, (product, 2))}/checkout/").json()["number"]
    assert customer.post(f"/orders/{number}/fulfil/").status_code == 403
    assert staff.post(f"/orders/{number}/fulfil/").json()["status"] == "fulfilled"
    assert staff.post(f"/orders/{number}/fulfil/").status_code == 409
    for client in (customer, staff):
        refused = client.post(f"/orders/{number}/cancel/")
        assert (refused.status_code, refused.json()["type"]) == (409, "/problems/order-state")
    assert stock(product) == 3
    changes = Order.objects.get().changes.values_list("status", "user__username")
    assert list(changes) == [("paid", "carla"), ("fulfilled", "stella")]


def test_a_cancelled_order_is_not_fulfilled(customer: APIClient, staff: APIClient) -> None:
    number = customer.post(f"/carts/{fill(customer, (factories.product(), 1))}/checkout/").json()["number"]
    staff.post(f"/orders/{number}/cancel/")
    assert staff.post(f"/orders/{number}/fulfil/").json()["type"] == "/problems/order-state"


def test_an_order_outlives_its_customer() -> None:
    cart, _ = filled_cart()
    cart.completed = True
    cart.save()
    get_user_model().objects.all().delete()
    assert Order.objects.get().user is None

"""Preconditions and idempotency keys of a checkout."""

import pytest
from rest_framework.test import APIClient

from products.models import Product
from tests import factories
from tests.buying import fill_cart
from tests.stock import quantity

pytestmark = pytest.mark.django_db


def test_if_match_refuses_a_total_that_changed(customer: APIClient) -> None:
    product = factories.product(price="10.00", quantity=5)
    cart = fill_cart(customer, (product, 1))
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
    assert quantity(product) == 5
    now = customer.get(path)["ETag"]
    assert now != tag
    assert customer.post(f"{path}checkout/", headers={"If-Match": f"W/{now}"}).json()["total"] == "12.00"


def test_the_same_key_and_request_return_the_same_order(customer: APIClient) -> None:
    product = factories.product(quantity=5)
    cart = fill_cart(customer, (product, 1))
    path, key = f"/carts/{cart}/checkout/", {"Idempotency-Key": "a-key"}
    first = customer.post(path, headers=key)
    again = customer.post(path, headers={**key, "If-Match": '"stale"'})
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert "Idempotent-Replayed" not in first
    assert again["Idempotent-Replayed"] == "true"
    assert quantity(product) == 4
    other_cart = fill_cart(customer, (product, 1))
    for other in (
        customer.post(f"/carts/{other_cart}/checkout/", headers=key),
        customer.post(path, {"note": "x"}, headers=key),
        customer.patch(f"/carts/{cart}/", {"completed": True}, headers=key),
    ):
        assert (other.status_code, other.json()["type"]) == (422, "/problems/idempotency-key-reused")
    assert quantity(product) == 4


def test_a_completion_is_replayed_from_its_snapshot(customer: APIClient) -> None:
    cart = fill_cart(customer, (factories.product(quantity=5), 1))
    path, key = f"/carts/{cart}/", {"Idempotency-Key": "a-key"}
    first = customer.patch(path, {"completed": True}, headers=key)
    again = customer.patch(path, {"completed": True}, headers=key)
    assert again["Idempotent-Replayed"] == "true"
    assert again.json() == first.json()


def test_a_refused_checkout_does_not_use_up_its_key(customer: APIClient) -> None:
    product = factories.product(quantity=2)
    cart = fill_cart(customer, (product, 2))
    Product.objects.filter(pk=product.pk).update(quantity=1)
    path, key = f"/carts/{cart}/checkout/", {"Idempotency-Key": "a-key"}
    assert customer.post(path, headers=key).status_code == 409
    Product.objects.filter(pk=product.pk).update(quantity=2)
    assert customer.post(path, headers=key).status_code == 201


def test_a_key_has_up_to_255_characters_and_is_scoped_to_its_user(
    customer: APIClient, other_customer: APIClient
) -> None:
    product = factories.product(quantity=5)
    key = {"Idempotency-Key": "k" * 255}
    cart = fill_cart(customer, (product, 1))
    refused = customer.post(f"/carts/{cart}/checkout/", headers={"Idempotency-Key": "k" * 256})
    assert refused.status_code == 400
    assert customer.post(f"/carts/{cart}/checkout/", headers=key).status_code == 201
    other = fill_cart(other_customer, (product, 1))
    assert other_customer.post(f"/carts/{other}/checkout/", headers=key).status_code == 201

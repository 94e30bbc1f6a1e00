"""Buys over HTTP."""

from rest_framework.test import APIClient

from products.models import Product
from tests import factories


def fill_cart(client: APIClient, *wanted: tuple[Product, int]) -> int:
    """Add the pieces of products to the client's cart; without any, one piece of a new product. Return its id."""
    for product, quantity in wanted or [(factories.product(), 1)]:
        response = client.post("/cart-items/", {"product": product.pk, "quantity": quantity})
        assert response.status_code in (200, 201), response.content
    cart: int = response.json()["cart"]
    return cart


def order(client: APIClient, key: str) -> str:
    """Buy a new product with the idempotency key; return the order's number."""
    path = f"/carts/{fill_cart(client)}/"
    return client.patch(path, {"completed": True}, headers={"Idempotency-Key": key}).json()["order"]

"""Clients of guests."""

from rest_framework.test import APIClient

from products.models import Product
from tests import factories

UNKNOWN = "A" * 43  # a token that nobody has
ADDRESS = "gast@example.com"


class GuestClient(APIClient):
    """Sends the token of a guest."""

    def __init__(self, token: str) -> None:
        super().__init__(raise_request_exception=False)
        self.token = token
        self.credentials(HTTP_GUEST_TOKEN=token)


def new_guest(api: APIClient) -> GuestClient:
    response = api.post("/guests/")
    assert response.status_code == 201, response.content
    return GuestClient(response.json()["guest_token"])


def fill(client: APIClient, product: Product, quantity: int = 1) -> int:
    response = client.post("/cart-items/", {"product": product.pk, "quantity": quantity})
    assert response.status_code in (200, 201), response.content
    return response.json()["cart"]


def order(client: APIClient, email: str = ADDRESS, **headers: str) -> str:
    cart = fill(client, factories.product())
    assert client.patch(f"/carts/{cart}/", {"email": email}).status_code == 200
    response = client.post(f"/carts/{cart}/checkout/", headers=headers)
    assert response.status_code == 201, response.content
    return response.json()["number"]

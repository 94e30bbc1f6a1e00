"""If-Match and If-None-Match on every write of an object with an ETag."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from rest_framework.test import APIClient

from carts.models import CartItem
from productbackend.api import conditional
from products.models import Product, ProductImage
from tests import factories
from tests.addresses import BERLIN
from tests.signing_in import client_of

pytestmark = pytest.mark.django_db


def image(product: Product, number: int) -> ProductImage:
    """A row without files, which are not needed here."""
    size = {"width": 60, "height": 40}
    return ProductImage.objects.create(
        product=product, original=f"{number}.jpg", sha256=str(number), position=number, status="ready", **size
    )


class World:
    """One object of each kind, and the clients that may write it."""

    def __init__(self, customer: APIClient, staff: APIClient) -> None:
        product = factories.product(quantity=50)
        customer.post("/cart-items/", {"product": product.pk, "quantity": 1})
        item = CartItem.objects.get()
        images = [image(product, number) for number in range(2)]
        self.paths = {
            "category": f"/categories/{factories.category().pk}/",
            "product": f"/products/{product.pk}/",
            "image": f"/products/{product.pk}/images/{images[0].pk}/",
            "item": f"/cart-items/{item.pk}/",
            "cart": f"/carts/{item.cart_id}/",
            "account": "/account/",
            "address": f"/account/addresses/{customer.post('/account/addresses/', BERLIN).json()['id']}/",
            "delivery method": f"/delivery-methods/{factories.delivery_method(is_active=False).pk}/",
            "tax rate": f"/tax-rates/{factories.tax_rate().pk}/",
        }
        self.clients = dict.fromkeys(("category", "product", "image", "delivery method", "tax rate"), staff)
        self.clients |= dict.fromkeys(("item", "cart", "account", "address"), customer)
        self.staff, self.images = staff, images
        self.list_path = f"/products/{product.pk}/images/"


@pytest.fixture
def world(customer: APIClient, staff: APIClient) -> World:
    return World(customer, staff)


def named(number: int) -> dict[str, Any]:
    return {"name": f"Name {number}"}


# The body of the n-th write, by kind.
PATCHES: dict[str, Callable[[int], dict[str, Any]]] = {
    "category": named,
    "product": named,
    "image": lambda number: {"alt_text": f"Text {number}"},
    "item": lambda number: {"quantity": number + 2},
    "account": lambda number: {"first_name": f"Name {number}"},
    "address": lambda number: {"city": f"City {number}"},
    "cart": lambda number: {"note": f"Note {number}"},
    "delivery method": named,
    "tax rate": lambda number: {"rate": f"{number + 1}"},
}
PUTS: dict[str, Callable[[int], dict[str, Any]]] = {
    "category": named,
    "product": lambda number: {**named(number), "quantity": number + 60},
    "item": PATCHES["item"],
    "address": lambda number: {**BERLIN, "city": f"City {number}"},
    "cart": lambda number: {"completed": False, "note": f"Note {number}"},
    "delivery method": lambda number: {**named(number), "code": "parcel"},
    "tax rate": lambda number: {"rate": f"{number + 1}", "country": "AT"},
}
WRITES = [("patch", kind, body) for kind, body in PATCHES.items()] + [
    ("put", kind, body) for kind, body in PUTS.items()
]


@pytest.mark.thorough
@pytest.mark.parametrize(("method", "kind", "body"), WRITES, ids=lambda value: value if isinstance(value, str) else "")
def test_one_of_six_writers_with_the_same_etag_succeeds(world: World, method: str, kind: str, body: Any) -> None:
    path, client = world.paths[kind], world.clients[kind]
    tag = client.get(path)["ETag"]
    answers = [getattr(client, method)(path, body(number), headers={"If-Match": tag}) for number in range(6)]
    assert [answer.status_code for answer in answers] == [200, *[412] * 5]
    assert {answer.json()["type"] for answer in answers[1:]} == {"/problems/precondition-failed"}
    now = client.get(path)
    assert now["ETag"] == answers[0]["ETag"] != tag
    assert {name: now.json()[name] for name in body(0)} == body(0)


@pytest.mark.parametrize(
    "kind", ["category", "product", "image", "item", "cart", "account", "address", "delivery method", "tax rate"]
)
def test_a_delete_with_a_stale_etag_is_rejected(world: World, kind: str) -> None:
    path, client = world.paths[kind], world.clients[kind]
    consent = {"password": factories.PASSWORD}  # required to close an account
    assert client.delete(path, consent, headers={"If-Match": '"stale"'}).status_code == 412
    current = client.get(path)
    assert current.status_code == 200
    assert client.delete(path, consent, headers={"If-None-Match": "*"}).status_code == 412
    assert client.delete(path, consent, headers={"If-Match": f'"other", W/{current["ETag"]}'}).status_code == 204
    assert client.get(path).status_code in (401, 404)


def test_ordering_images_checks_the_etag_of_their_list(world: World) -> None:
    path, wanted = f"{world.list_path}order/", {"images": [image.pk for image in reversed(world.images)]}
    tag = world.staff.get(world.list_path)["ETag"]
    answers = [world.staff.put(path, wanted, headers={"If-Match": tag}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 412]
    assert answers[0]["ETag"] == world.staff.get(world.list_path)["ETag"]


def test_pages_after_ordering_images_are_those_of_the_list(world: World) -> None:
    answer = world.staff.put(f"{world.list_path}order/?limit=1", {"images": [image.pk for image in world.images]})
    assert world.staff.get(answer.json()["next"]).status_code == 200


def test_the_etag_of_a_cart_covers_prices_and_names(world: World) -> None:
    path, client = world.paths["cart"], world.clients["cart"]
    for change in ({"price": "1.00"}, {"name": "Renamed"}):
        tag = client.get(path)["ETag"]
        assert world.staff.patch(world.paths["product"], change).status_code == 200
        for refused in (
            client.post(f"{path}checkout/", headers={"If-Match": tag}),
            client.put(path, {"completed": False}, headers={"If-Match": tag}),
            client.delete(path, headers={"If-Match": tag}),
        ):
            assert refused.status_code == 412
            assert refused.json()["cart"] == client.get(path).json()


def test_the_etag_depends_on_the_user(world: World, api: APIClient) -> None:
    editor = factories.user("eva", is_staff=True)
    editor.user_permissions.set(Permission.objects.filter(codename="change_productimage"))
    path = world.paths["image"]
    seen_by_all = api.get(path)["ETag"]
    assert seen_by_all != world.staff.get(path)["ETag"]  # which shows the original
    assert world.staff.patch(path, {"alt_text": "x"}, headers={"If-Match": seen_by_all}).status_code == 412
    assert client_of(editor).patch(path, {"alt_text": "x"}, headers={"If-Match": seen_by_all}).status_code == 200


def test_a_sale_changes_the_etag_of_a_product(world: World) -> None:
    tag = world.staff.get(world.paths["product"])["ETag"]
    assert world.clients["cart"].post(f"{world.paths['cart']}checkout/").status_code == 201
    assert world.staff.patch(world.paths["product"], named(1), headers={"If-Match": tag}).status_code == 412
    assert Product.objects.get().name == "Red shoe"


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("*", ["*"]),
        ('"*"', ['"*"']),
        ('"a"', ['"a"']),
        ('W/"a", "b,c" ,, ""', ['"a"', '"b,c"', '""']),
        ("", []),
        ("a", []),
        ('"a', []),
        ('w/"a"', []),
        ('*, "a"', []),
        ('x"a"', []),
    ],
)
def test_a_malformed_header_has_no_etags(header: str, found: list[str]) -> None:
    assert conditional.parse_etags(header) == found

"""Every path of the API with what each role may do there, and a shop in which to try it."""

from decimal import Decimal
from typing import Any

from django.contrib.auth.models import Group
from django.contrib.auth.tokens import default_token_generator
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from rest_framework.test import APIClient

from accounts import addresses, tokens
from carts import items
from orders import placing
from tests import factories
from tests.products import pictures

ROLES = ["anonymous", "owner", "other", "managers", "desk", "support", "superuser"]
GROUPS = {"managers": "Catalogue managers", "desk": "Order desk", "support": "Support"}


def user(name: str, **fields: Any) -> Any:
    """An account whose password is hashed by what the settings say now, which may be quicker than the shop's own."""
    made = factories.user(name, **fields)
    made.set_password(factories.PASSWORD)
    made.save(update_fields=["password"])
    return made


class World:
    """What the paths of the table name: all of it is the owner's."""

    def __init__(self) -> None:
        self.users = {"owner": user("carla"), "other": user("otto")}
        self.users["superuser"] = user("stella", is_staff=True, is_superuser=True)
        for role, group in GROUPS.items():
            self.users[role] = user(role, is_staff=True)
            self.users[role].groups.add(Group.objects.get(name=group))
        owner = self.users["owner"]
        product = factories.product(price=Decimal("19.90"))
        image = pictures.add(product, status="pending")  # which not everybody may see
        item, _ = items.add(user=owner, product_id=product.pk, quantity=1)
        order = placing.write(number="AAAA-BBBB-CCCC", user=owner, lines=[(product, 1)], placed_by=owner, cart_id=10**6)
        self.refresh = tokens.issue(owner).refresh
        self.names: dict[str, Any] = {
            "category": factories.category().pk,
            "product": product.pk,
            "hidden": factories.product("Hidden", is_active=False).pk,
            "image": image.pk,
            "cart": item.cart_id,
            "item": item.pk,
            "order": order.number,
            "problem": "not-found",
        }

    def client(self, role: str) -> APIClient:
        client = APIClient(raise_request_exception=False)
        if role != "anonymous":
            client.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens.issue(self.users[role]).access}")
        return client


def new_image(world: World) -> dict[str, Any]:
    return {"image": pictures.upload(pictures.jpeg(40, 30))}


def reset(world: World) -> dict[str, Any]:
    owner = world.users["owner"]
    uid = urlsafe_base64_encode(force_bytes(owner.pk))
    return {"uid": uid, "token": default_token_generator.make_token(owner), "new_password": "quite another secret"}


def confirmation(world: World) -> dict[str, Any]:
    owner = world.users["owner"]
    return {"token": addresses.make_token(owner, owner.email)}


NEW_PASSWORD = {"old_password": factories.PASSWORD, "new_password": "quite another secret"}
REGISTRATION = {
    "username": "new",
    "email": "new@example.com",
    "password": "pale blue dot",
    "repeat_password": "pale blue dot",
}
ORDERED = "Cart CartItem Mail Order OrderChange OrderLine Product StockMovement"

# Method and path, body, status by role in the order of ROLES (or one for all), and the models of whose rows a
# success changes some. 200- is a success that changes nothing.
TABLE: list[tuple[str, Any, str, str]] = [
    ("get /", None, "200", ""),
    ("get /health/live/", None, "200", ""),
    ("get /health/ready/", None, "200", ""),
    ("get /problems/", None, "200", ""),
    ("get /problems/{problem}/", None, "200", ""),
    ("post /register/", REGISTRATION, "201", "User Mail"),
    ("post /token/", {"username": "carla", "password": factories.PASSWORD}, "200", ""),
    ("post /token/refresh/", lambda world: {"refresh": world.refresh}, "200", "OutstandingToken BlacklistedToken"),
    ("post /token/revoke/", lambda world: {"refresh": world.refresh}, "204", "OutstandingToken BlacklistedToken"),
    ("post /token/revoke-all/", None, "401 204 204 204 204 204 204", "User"),
    ("get /account/", None, "401 200 200 200 200 200 200", ""),
    ("patch /account/", {"first_name": "Jo", "is_staff": True}, "401 200 200 200 200 200 200", "User"),
    ("post /account/password/", NEW_PASSWORD, "401 204 204 204 204 204 204", "User"),
    ("post /password-reset/", {"email": "carla@example.com"}, "202", "Mail"),
    ("get /password-reset/confirm/", None, "200", ""),
    ("post /password-reset/confirm/", reset, "204", "User"),
    ("get /email/confirm/", None, "200", ""),
    ("post /email/confirm/", confirmation, "204", "User"),
    # --- The catalogue ---
    ("get /categories/", None, "200", ""),
    ("get /categories/{category}/", None, "200", ""),
    ("post /categories/", {"name": "Hats"}, "401 403 403 201 403 403 201", "Category"),
    ("put /categories/{category}/", {"name": "Hats"}, "401 403 403 200 403 403 200", "Category"),
    ("patch /categories/{category}/", {"name": "Hats"}, "401 403 403 200 403 403 200", "Category"),
    ("delete /categories/{category}/", None, "401 403 403 204 403 403 204", "Category"),
    ("get /products/", None, "200", ""),
    ("get /products/facets/", None, "200", ""),
    ("get /products/{product}/", None, "200", ""),
    ("get /products/{hidden}/", None, "404 404 404 200 200 200 200", ""),
    ("post /products/", {"name": "Hat", "quantity": 1}, "401 403 403 201 403 403 201", "Product StockMovement"),
    (
        "put /products/{product}/",
        {"name": "Hat", "quantity": 1},
        "401 403 403 200 403 403 200",
        "Product StockMovement",
    ),
    ("patch /products/{product}/", {"price": "0.01"}, "401 403 403 200 403 403 200", "Product"),
    (
        "delete /products/{product}/",
        None,
        "401 403 403 204 403 403 204",
        "Product ProductImage CartItem OrderLine StockMovement",
    ),
    ("get /products/{product}/images/", None, "200", ""),
    ("post /products/{product}/images/", new_image, "401 403 403 201 403 403 201", "ProductImage"),
    (
        "put /products/{product}/images/order/",
        lambda world: {"images": [world.names["image"]]},
        "401 403 403 200 403 403 200",
        "",
    ),
    ("get /products/{product}/images/{image}/", None, "404 404 404 200 404 200 200", ""),
    ("patch /products/{product}/images/{image}/", {"alt_text": "Shoe"}, "401 403 403 200 403 403 200", "ProductImage"),
    ("delete /products/{product}/images/{image}/", None, "401 403 403 204 403 403 204", "ProductImage"),
    ("get /products/{product}/images/{image}/original/", None, "404 404 404 200 404 200 200", ""),
    # --- Carts and orders ---
    ("get /carts/", None, "401 200 200 200 200 200 200", ""),
    ("post /carts/", None, "401 200- 201 201 201 201 201", "Cart"),
    ("get /carts/{cart}/", None, "401 200 404 404 200 200 200", ""),
    ("put /carts/{cart}/", {"completed": True}, "401 200 404 404 200 404 200", ORDERED),
    ("patch /carts/{cart}/", {"completed": True}, "401 200 404 404 200 404 200", ORDERED),
    ("patch /carts/{cart}/", {"completed": False}, "401 200 404 404 200 404 200", ""),
    ("delete /carts/{cart}/", None, "401 204 404 404 404 404 204", "Cart CartItem"),
    ("post /carts/{cart}/checkout/", None, "401 201 404 404 201 404 201", ORDERED),
    ("get /cart-items/", None, "401 200 200 200 200 200 200", ""),
    (
        "post /cart-items/",
        lambda world: {"product": world.names["product"], "quantity": 1},
        "401 200 201 201 201 201 201",
        "Cart CartItem",
    ),
    ("get /cart-items/{item}/", None, "401 200 404 404 200 200 200", ""),
    ("put /cart-items/{item}/", {"quantity": 2}, "401 200 404 404 200 404 200", "Cart CartItem"),
    ("patch /cart-items/{item}/", {"quantity": 2}, "401 200 404 404 200 404 200", "Cart CartItem"),
    ("delete /cart-items/{item}/", None, "401 204 404 404 204 404 204", "Cart CartItem"),
    ("get /orders/", None, "401 200 200 200 200 200 200", ""),
    ("get /orders/{order}/", None, "401 200 404 404 200 200 200", ""),
    ("post /orders/{order}/cancel/", None, "401 200 404 404 200 403 200", "Order OrderChange Product StockMovement"),
    ("post /orders/{order}/fulfil/", None, "401 403 403 403 200 403 200", "Order OrderChange"),
    (
        "delete /account/",
        None,
        "401 204 204 204 204 204 204",
        "User Cart CartItem Order OrderChange Mail StockMovement",
    ),
]

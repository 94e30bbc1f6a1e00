"""Every path of the API with the permissions of each role, and a fixture world to test them in."""

from decimal import Decimal
from typing import Any

from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from rest_framework.test import APIClient

from accounts import address_book, email_verification, guests, tokens
from accounts.passwords import reset_tokens
from backoffice.models import Import
from carts import items
from carts.models import Cart
from orders import placing
from orders.customers import Customer
from orders.models import Order
from payments import ledger
from payments.models import MoneyMovement, Payment, ProviderEvent
from payments.providers.base import Money
from productbackend.database.postal_addresses import PostalAddress
from products.images import lifecycle
from tests import factories
from tests.addresses import BERLIN, VIENNA
from tests.guests import ADDRESS
from tests.products import pictures
from tests.signing_in import client_of

ROLES = ["anonymous", "owner", "other", "managers", "desk", "support", "superuser"]
GUEST_ROLES = [*ROLES, "guest", "other guest"]
# Accountants have no column in the tables: they may what any other customer may, and export orders.
GROUPS = {
    "managers": "Catalogue managers",
    "desk": "Order desk",
    "support": "Support",
    "accountants": "Accountants",
}


NAMES = {
    "category_slug": "shoes",
    "product_slug": "red-shoe",
    "hidden_slug": "hidden",
    "family_slug": "coat",
    "problem": "not-found",
    "provider": "stripe",
    "part": 1,
}
STEP = "Order OrderChange Mail"  # what fulfilling an order changes


def stock_file(world: "World") -> dict[str, Any]:
    """A file to import."""
    return {"kind": "stock", "file": SimpleUploadedFile("stock.csv", b"sku,quantity\nRED-SHOE,1\n")}


def checked_import() -> Import:
    """An import that can be run, without rows."""
    return Import.objects.create(kind="stock", status="checked", columns=["sku"], has_decimal_commas=False)


class World:
    """The objects that the paths of the table name; the owner has all of them."""

    def __init__(self) -> None:
        category = factories.category()  # before the staff: the first change is one that managers may see
        self.users = {"owner": factories.user("carla"), "other": factories.user("otto")}
        self.users["superuser"] = factories.user("stella", is_staff=True, is_superuser=True)
        for role, group in GROUPS.items():
            self.users[role] = factories.user(role, is_staff=True)
            self.users[role].groups.add(Group.objects.get(name=group))
        owner = self.users["owner"]
        product = factories.product(price=Decimal("19.90"))
        # Pending, so visible to staff only.
        image, _ = lifecycle.add(product_id=product.pk, file=pictures.upload(pictures.jpeg(60, 40)))
        item, _ = items.add(customer=Customer(user=owner), product_id=product.pk, quantity=1)
        order = placing.create_order(
            number="AAAA-BBBB-CCCC", user=owner, lines=[(product, 1)], placed_by=owner, email=owner.email, cart_id=10**6
        )
        address = address_book.add(user=owner, address=PostalAddress(**BERLIN))
        self.clients: dict[str, APIClient] = {}
        self.refresh = tokens.issue(owner).refresh
        self.guests = {"guest": guests.create_guest(), "other guest": guests.create_guest()}
        guest, self.guest_token = self.guests["guest"]
        guest_item, _ = items.add(customer=Customer(guest=guest), product_id=product.pk, quantity=1)
        Cart.objects.filter(guest=guest).update(email=ADDRESS)
        given: Any = {"guest": guest, "placed_by": None, "email": ADDRESS, "cart_id": 10**6 + 1}
        guest_order = placing.create_order(number="GGGG-GGGG-GGGG", lines=[(product, 1)], **given)
        self.names: dict[str, Any] = NAMES | {
            "category": category.pk,
            "product": product.pk,
            "hidden": factories.product("Hidden", is_active=False).pk,
            "image": image.pk,
            "address": address.pk,
            "cart": item.cart_id,
            "item": item.pk,
            "order": order.number,
            "guest_cart": guest_item.cart_id,
            "guest_item": guest_item.pk,
            "guest_order": guest_order.number,
            "payment": payment_of(order).pk,
            **staff_rows(),
            **money(owner, product),
        }

    def client(self, role: str) -> APIClient:
        if role not in self.clients:
            self.clients[role] = self.new_client(role)
        return self.clients[role]

    def new_client(self, role: str) -> APIClient:
        if role in self.guests:
            client = APIClient(raise_request_exception=False)
            client.credentials(HTTP_GUEST_TOKEN=self.guests[role][1])
            return client
        return APIClient(raise_request_exception=False) if role == "anonymous" else client_of(self.users[role])


def staff_rows() -> dict[str, int]:
    """A delivery method, a tax rate, an import, and a family that customers do not see."""
    family = factories.family("Coat")
    factories.member(family, "M", is_active=False)
    # The method is inactive, so that checkout asks for nothing more.
    return {"method": factories.delivery_method(is_active=False).pk, "rate": factories.tax_rate().pk} | {
        "import": checked_import().pk,
        "family": family.pk,
    }


def money(owner: Any, product: Any) -> dict[str, str]:
    """The owner's order that waits for money, and one that was paid by bank transfer."""
    waiting, paid = [
        placing.create_order(
            number=number, user=owner, lines=[(product, 1)], placed_by=owner, email=owner.email, cart_id=cart_id
        )
        for number, cart_id in (("PPPP-PPPP-PPPP", 10**6 + 2), ("QQQQ-QQQQ-QQQQ", 10**6 + 3))
    ]
    Order.objects.filter(pk=waiting.pk).update(status=Order.Status.PENDING, paid_at=None)
    payment = Payment.objects.create(
        order=paid, method="transfer", status="succeeded", amount=paid.total, currency="EUR", key="k", reference="k"
    )
    captured = Money("k", paid.total, timezone.now())
    ledger.add(payment=payment, kind=MoneyMovement.Kind.CAPTURE, money=captured)
    ProviderEvent.objects.create(provider="stripe", event_id="evt_1")
    return {"pending_order": waiting.number, "paid_order": paid.number}


def payment_of(order: Order) -> Payment:
    given = {"method": "former", "status": Payment.Status.SUCCEEDED, "amount": order.total, "currency": order.currency}
    return Payment.objects.create(order=order, reference="pay_1", **given)


def new_image(world: World) -> dict[str, Any]:
    return {"image": pictures.upload(pictures.jpeg(40, 30))}


def reset(world: World) -> dict[str, Any]:
    owner = world.users["owner"]
    uid = urlsafe_base64_encode(force_bytes(owner.pk))
    return {"uid": uid, "token": reset_tokens.make_token(owner), "new_password": "quite another secret"}


def verification(world: World) -> dict[str, Any]:
    owner = world.users["owner"]
    return {"token": email_verification.make_token(owner, owner.email)}


MADE = "Product StockMovement Suggestion Option Change"
CATEGORY = "Category Reindex Suggestion Change"
NEW_PASSWORD = {"old_password": factories.PASSWORD, "new_password": "quite another secret"}
REGISTRATION = {
    "username": "new",
    "email": "new@example.com",
    "password": "pale blue dot",
    "repeat_password": "pale blue dot",
}
METHOD = {"code": "courier", "name": "Courier"}
RATE = {"country": "AT", "rate": "20"}
ORDERED = "Cart CartItem Mail Order OrderChange OrderLine Product StockMovement"

MONEY = "Payment MoneyMovement"
REFUNDED = f"Refund Order Mail {MONEY}"  # a refund by bank transfer is done immediately

# Method and path, body, status by role in the order of ROLES (or one for all), and the models whose rows a success
# changes. "200-" is a success that changes nothing.
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
    ("post /guests/", None, "201", "Guest"),
    ("post /account/orders/claim/", None, "401 403 403 403 403 403 403", ""),
    ("patch /account/", {"first_name": "Jo", "is_staff": True}, "401 200 200 200 200 200 200", "User"),
    ("get /account/addresses/", None, "401 200 200 200 200 200 200", ""),
    ("post /account/addresses/", VIENNA, "401 201 201 201 201 201 201", "Address"),
    ("get /account/addresses/{address}/", None, "401 200 404 404 404 404 404", ""),
    ("put /account/addresses/{address}/", VIENNA, "401 200 404 404 404 404 404", "Address"),
    ("patch /account/addresses/{address}/", {"city": "Bonn"}, "401 200 404 404 404 404 404", "Address"),
    ("delete /account/addresses/{address}/", None, "401 204 404 404 404 404 404", "Address"),
    ("post /account/password/", NEW_PASSWORD, "401 204 204 204 204 204 204", "User Mail"),
    ("post /password-reset/", {"email": "carla@example.com"}, "202", "Mail"),
    ("get /password-reset/confirm/", None, "200", ""),
    ("post /password-reset/confirm/", reset, "204", "User Mail"),
    ("get /email/confirm/", None, "200", ""),
    ("post /email/confirm/", verification, "204", "User"),
    ("get /email/undo/", None, "200", ""),
    ("post /email/undo/", {"token": "made up"}, "400", ""),
    # --- The catalogue ---
    ("get /categories/", None, "200", ""),
    ("get /categories/tree/", None, "200", ""),
    ("get /categories/{category}/", None, "200", ""),
    ("get /categories/by-slug/{category_slug}/", None, "200", ""),
    ("post /categories/", {"name": "Hats"}, "401 403 403 201 403 403 201", CATEGORY),
    ("put /categories/{category}/", {"name": "Hats"}, "401 403 403 200 403 403 200", CATEGORY),
    ("patch /categories/{category}/", {"name": "Hats"}, "401 403 403 200 403 403 200", CATEGORY),
    ("delete /categories/{category}/", None, "401 403 403 204 403 403 204", CATEGORY),
    ("get /products/", None, "200", ""),
    ("get /products/facets/", None, "200", ""),
    ("get /products/suggestions/?q=bo", None, "200", ""),
    ("get /products/{product}/", None, "200", ""),
    ("get /products/by-slug/{product_slug}/", None, "200", ""),
    ("get /products/by-slug/{hidden_slug}/", None, "404 404 404 200 200 200 200", ""),
    ("get /products/{hidden}/", None, "404 404 404 200 200 200 200", ""),
    (
        "post /products/",
        {"name": "Hat", "quantity": 1},
        "401 403 403 201 403 403 201",
        "Product StockMovement Suggestion Change",
    ),
    (
        "put /products/{product}/",
        {"name": "Hat", "quantity": 1},
        "401 403 403 200 403 403 200",
        "Product StockMovement Suggestion Change",
    ),
    ("patch /products/{product}/", {"price": "0.01"}, "401 403 403 200 403 403 200", "Product Change"),
    (
        "delete /products/{product}/",
        None,
        "401 403 403 204 403 403 204",
        "Product ProductImage CartItem OrderLine StockMovement Suggestion Change",
    ),
    ("get /families/", None, "200", ""),
    ("get /families/{family}/", None, "404 404 404 200 200 200 200", ""),
    ("get /families/by-slug/{family_slug}/", None, "404 404 404 200 200 200 200", ""),
    ("post /families/", {"name": "Hat", "axes": ["Size"]}, "401 403 403 201 403 403 201", "Family Change"),
    ("put /families/{family}/", {"name": "Hat", "axes": ["Size"]}, "401 403 403 200 403 403 200", "Family Change"),
    ("patch /families/{family}/", {"name": "Hat"}, "401 403 403 200 403 403 200", "Family Change"),
    ("delete /families/{family}/", None, "401 403 403 204 403 403 204", "Family Product Option Change"),
    ("post /families/{family}/variants/", {"options": {"Size": ["S"]}}, "401 403 403 200 403 403 200", MADE),
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
    # --- Delivery and tax ---
    ("get /delivery-methods/", None, "200", ""),
    ("get /delivery-methods/{method}/", None, "404 404 404 200 200 200 200", ""),
    ("post /delivery-methods/", METHOD, "401 403 403 201 403 403 201", "DeliveryMethod Change"),
    ("put /delivery-methods/{method}/", METHOD, "401 403 403 200 403 403 200", "DeliveryMethod Change"),
    ("patch /delivery-methods/{method}/", {"price": "0.01"}, "401 403 403 200 403 403 200", "DeliveryMethod Change"),
    ("delete /delivery-methods/{method}/", None, "401 403 403 204 403 403 204", "DeliveryMethod Change"),
    ("get /tax-rates/", None, "401 403 403 200 200 200 200", ""),
    ("get /tax-rates/{rate}/", None, "401 403 403 200 200 200 200", ""),
    ("post /tax-rates/", RATE, "401 403 403 201 403 403 201", "TaxRate Change"),
    ("put /tax-rates/{rate}/", RATE, "401 403 403 200 403 403 200", "TaxRate Change"),
    ("patch /tax-rates/{rate}/", {"rate": "0"}, "401 403 403 200 403 403 200", "TaxRate Change"),
    ("delete /tax-rates/{rate}/", None, "401 403 403 204 403 403 204", "TaxRate Change"),
    # --- Carts and orders ---
    ("get /carts/", None, "401 200 200 200 200 200 200", ""),
    ("post /carts/", None, "401 200- 201 201 201 201 201", "Cart"),
    ("get /carts/{cart}/", None, "401 200 404 404 200 200 200", ""),
    ("get /carts/{cart}/delivery-methods/", None, "401 200 404 404 200 200 200", ""),
    ("put /carts/{cart}/", {"completed": True}, "401 200 404 404 200 404 200", ORDERED),
    ("patch /carts/{cart}/", {"completed": True}, "401 200 404 404 200 404 200", ORDERED),
    ("patch /carts/{cart}/", {"completed": False}, "401 200 404 404 200 404 200", ""),
    ("delete /carts/{cart}/", None, "401 204 404 404 404 404 204", "Cart CartItem"),
    (
        "post /carts/merge/",
        lambda world: {"guest_token": world.guest_token},
        "401 200 200 200 200 200 200",
        "Cart CartItem",
    ),
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
    ("post /orders/{order}/cancel/", None, "401 200 404 404 200 403 200", f"{STEP} Product StockMovement"),
    ("post /orders/{order}/fulfil/", {"carrier": "Post"}, "401 403 403 403 200 403 200", STEP),
    ("get /orders/{order}/refunds/", None, "401 200 404 404 200 200 200", ""),
    ("post /orders/{paid_order}/refunds/", {"amount": "1.00"}, "401 403 403 403 201 403 201", REFUNDED),
    ("post /orders/{pending_order}/mark-paid/", {"amount": "19.90"}, "401 403 403 403 200 403 200", f"{STEP} {MONEY}"),
    # --- Files ---
    ("get /imports/", None, "401 403 403 200 403 403 200", ""),
    ("post /imports/", stock_file, "401 403 403 201 403 403 201", "Import ImportSlice"),
    ("get /imports/{import}/", None, "401 403 403 200 403 403 200", ""),
    ("get /imports/{import}/rows/", None, "401 403 403 200 403 403 200", ""),
    ("post /imports/{import}/run/", None, "401 403 403 202 403 403 202", "Import"),
    ("get /exports/products/", None, "401 403 403 200 200 200 200", ""),
    ("get /exports/stock/", None, "401 403 403 200 200 200 200", ""),
    ("get /exports/orders/", None, "401 403 403 403 200 200 200", ""),
    # --- Feeds, which are off ---
    ("get /sitemap.xml", None, "404", ""),
    ("get /sitemap-{part}.xml", None, "404", ""),
    ("get /feeds/google.xml", None, "404", ""),
    # --- Payments: the orders were paid at once ---
    ("get /payment-methods/", None, "200", ""),
    ("post /payment-events/{provider}/", {"id": "evt_1"}, "404", ""),
    ("get /orders/{order}/payments/", None, "401 200 404 404 200 200 200", ""),
    ("get /orders/{order}/payments/{payment}/", None, "401 200 404 404 200 200 200", ""),
    ("post /orders/{order}/payments/", {"method": "transfer"}, "401 409 404 404 409 403 409", ""),
    (
        "delete /account/",
        {"password": factories.PASSWORD},
        "401 204 204 204 204 204 204",
        "User Address Cart CartItem Order OrderChange Mail StockMovement Change",
    ),
]

# The same for a guest's objects, by role in the order of GUEST_ROLES.
GUEST_TABLE: list[tuple[str, Any, str, str]] = [
    ("get /carts/", None, "401 200 200 200 200 200 200 200 200", ""),
    ("post /carts/", None, "401 200- 201 201 201 201 201 200- 201", "Cart"),
    ("get /carts/{guest_cart}/", None, "401 404 404 404 200 200 200 200 404", ""),
    ("get /carts/{guest_cart}/delivery-methods/", None, "401 404 404 404 200 200 200 200 404", ""),
    ("patch /carts/{guest_cart}/", {"note": "Ring"}, "401 404 404 404 200 404 200 200 404", "Cart"),
    ("put /carts/{guest_cart}/", {"completed": True}, "401 404 404 404 200 404 200 200 404", ORDERED),
    ("delete /carts/{guest_cart}/", None, "401 404 404 404 404 404 204 204 404", "Cart CartItem"),
    ("post /carts/{guest_cart}/checkout/", None, "401 404 404 404 201 404 201 201 404", ORDERED),
    ("get /cart-items/", None, "401 200 200 200 200 200 200 200 200", ""),
    (
        "post /cart-items/",
        lambda world: {"product": world.names["product"], "quantity": 1},
        "401 200 201 201 201 201 201 200 201",
        "Cart CartItem",
    ),
    ("get /cart-items/{guest_item}/", None, "401 404 404 404 200 200 200 200 404", ""),
    ("patch /cart-items/{guest_item}/", {"quantity": 2}, "401 404 404 404 200 404 200 200 404", "Cart CartItem"),
    ("delete /cart-items/{guest_item}/", None, "401 404 404 404 204 404 204 204 404", "Cart CartItem"),
    ("get /orders/", None, "401 200 200 200 200 200 200 200 200", ""),
    ("get /orders/{guest_order}/", None, "401 404 404 404 200 200 200 200 404", ""),
    (
        "post /orders/{guest_order}/cancel/",
        None,
        "401 404 404 404 200 403 200 200 404",
        f"{STEP} Product StockMovement",
    ),
    ("post /orders/{guest_order}/fulfil/", None, "401 403 403 403 200 403 200 403 403", STEP),
    ("get /orders/{guest_order}/refunds/", None, "401 404 404 404 200 200 200 200 404", ""),
    ("post /orders/{guest_order}/refunds/", {"amount": "1.00"}, "401 403 403 403 409 403 409 403 403", ""),
    ("post /orders/{guest_order}/mark-paid/", {"amount": "19.90"}, "401 403 403 403 409 403 409 403 403", ""),
    ("get /orders/{guest_order}/payments/", None, "401 404 404 404 200 200 200 200 404", ""),
    ("post /orders/{guest_order}/payments/", {"method": "transfer"}, "401 404 404 404 409 403 409 409 404", ""),
    # What is another's, or needs an account.
    ("get /carts/{cart}/", None, "401 200 404 404 200 200 200 404 404", ""),
    ("get /orders/{order}/", None, "401 200 404 404 200 200 200 404 404", ""),
    (
        "post /carts/merge/",
        lambda world: {"guest_token": world.guest_token},
        "401 200 200 200 200 200 200 401 401",
        "Cart CartItem",
    ),
    ("post /account/orders/claim/", None, "401 403 403 403 403 403 403 401 401", ""),
    ("get /account/", None, "401 200 200 200 200 200 200 401 401", ""),
    ("get /account/addresses/", None, "401 200 200 200 200 200 200 401 401", ""),
    ("post /account/addresses/", VIENNA, "401 201 201 201 201 201 201 401 401", "Address"),
    (
        "post /products/",
        {"name": "Hat", "quantity": 1},
        "401 403 403 201 403 403 201 401 401",
        "Product StockMovement Suggestion Change",
    ),
]

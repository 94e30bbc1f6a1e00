"""The amounts of an order are those that its client saw, and stay."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from carts.models import Cart
from delivery.models import DeliveryMethod
from orders.models import Order
from products.models import Product
from taxes.models import TaxRate
from tests import factories
from tests.addresses import BERLIN, VIENNA, whole
from tests.buying import fill_cart

pytestmark = pytest.mark.django_db

SHOWN = ("amounts", "tax_lines", "shipping_address", "billing_address")


@pytest.fixture
def path(customer: APIClient) -> str:
    """The path of a cart with delivery and tax: 2 × 19.90 + 4.90."""
    factories.tax_rate("19", "DE")
    factories.delivery_method("parcel", countries=["DE", "AT"])
    path = f"/carts/{fill_cart(customer, (factories.product(), 2))}/"
    details = {"shipping_address": BERLIN, "billing_address": VIENNA, "delivery_method": "parcel"}
    assert customer.patch(path, details).json()["amounts"]["total"] == "44.70"
    return path


def shown(body: dict[str, Any]) -> dict[str, Any]:
    return {name: body[name] for name in SHOWN}


def test_an_order_has_the_amounts_and_addresses_of_its_cart(customer: APIClient, path: str) -> None:
    cart = customer.get(path)
    order = customer.post(f"{path}checkout/", headers={"If-Match": cart["ETag"]}).json()
    assert shown(order) == shown(cart.json())
    assert order["total"] == order["amounts"]["total"] == "44.70"
    assert order["amounts"] == {"items": "39.80", "delivery": "4.90", "tax": "7.13", "total": "44.70"}
    assert order["tax_lines"] == [{"rate": "19", "net": "37.57", "tax": "7.13"}]
    assert order["delivery"] == {"code": "parcel", "name": "Parcel", "price": "4.90"}
    assert [(item["tax_rate"], item["tax"]) for item in order["items"]] == [("19", "6.35")]
    assert (order["shipping_address"], order["billing_address"]) == (whole(BERLIN), whole(VIENNA))


def change_rate() -> None:
    TaxRate.objects.update(rate="20")


def begin_rate() -> None:
    factories.tax_rate("20", "DE", valid_from=date(2020, 2, 1))


def change_method() -> None:
    DeliveryMethod.objects.update(price="5.90")


def change_price() -> None:
    Product.objects.update(price="19.91")


def change_limit() -> None:
    DeliveryMethod.objects.update(free_from="39.80")


CHANGES: list[Callable[[], None]] = [change_rate, begin_rate, change_method, change_price, change_limit]


@pytest.mark.parametrize("change", CHANGES)
def test_amounts_that_changed_since_the_cart_was_read_are_not_paid(
    customer: APIClient, path: str, change: Callable[[], None]
) -> None:
    tag = customer.get(path)["ETag"]
    change()
    now = customer.get(path)
    assert now["ETag"] != tag
    for refused in (
        customer.post(f"{path}checkout/", headers={"If-Match": tag}),
        customer.patch(path, {"completed": True}, headers={"If-Match": tag}),
        customer.patch(path, {"note": "Ring"}, headers={"If-Match": tag}),
    ):
        assert (refused.status_code, refused.json()["cart"]) == (412, now.json())
    order = customer.post(f"{path}checkout/", headers={"If-Match": now["ETag"]}).json()
    assert shown(order) == shown(now.json())


def test_the_address_book_changes_between_cart_and_checkout(customer: APIClient, path: str) -> None:
    book = customer.post("/account/addresses/", VIENNA).json()
    tag = customer.patch(path, {"shipping_address": {"id": book["id"]}})["ETag"]
    customer.patch(f"/account/addresses/{book['id']}/", {"country": "DE", "city": "Köln"})
    order = customer.post(f"{path}checkout/", headers={"If-Match": tag})
    assert (order.status_code, order.json()["shipping_address"]) == (201, whole(VIENNA))


def withdraw() -> None:
    DeliveryMethod.objects.update(is_active=False)


def delete() -> None:
    DeliveryMethod.objects.all().delete()


@pytest.mark.parametrize("has_another", [True, False])
@pytest.mark.parametrize("change", [withdraw, delete])
def test_a_method_goes_while_a_cart_holds_it(
    customer: APIClient, path: str, change: Callable[[], None], has_another: bool
) -> None:
    change()
    if has_another:
        factories.delivery_method("pickup", price="0.00", needs_address=False)
    customer.patch(path, {"shipping_address": BERLIN if change is withdraw else None})
    assert customer.get(path).json()["delivery_method"] == "parcel"
    for refused in (customer.post(f"{path}checkout/"), customer.patch(path, {"completed": True})):
        assert refused.status_code == 409
        assert (refused.json()["type"], refused.json()["reason"]) == ("/problems/delivery-unavailable", "inactive")
    assert Product.objects.get().quantity == 10
    chosen = {"delivery_method": "pickup" if has_another else None}
    assert customer.patch(path, chosen).json()["amounts"]["delivery"] == "0.00"
    assert customer.post(f"{path}checkout/").json()["total"] == "39.80"


@pytest.mark.parametrize(
    ("limit", "reason"),
    [
        ({"countries": ["AT"]}, "country"),
        ({"min_amount": "39.81"}, "amount_too_low"),
        ({"max_amount": "39.79"}, "amount_too_high"),
    ],
)
def test_a_method_that_is_not_offered_is_refused(
    customer: APIClient, path: str, limit: dict[str, Any], reason: str
) -> None:
    DeliveryMethod.objects.update(**limit)
    refused = customer.post(f"{path}checkout/", headers={"Idempotency-Key": "k"})
    assert (refused.status_code, refused.json()["reason"]) == (409, reason)
    assert (Cart.objects.count(), Order.objects.count(), Product.objects.get().quantity) == (1, 0, 10)
    DeliveryMethod.objects.update(countries=[], min_amount="39.80", max_amount="39.80")
    assert customer.post(f"{path}checkout/", headers={"Idempotency-Key": "k"}).status_code == 201


def change_everything() -> None:
    for change in CHANGES:
        change()
    Product.objects.update(name="Other", tax_class="reduced", sku="OTHER")
    DeliveryMethod.objects.update(name="Other", code="other", tax_class="reduced")


def delete_everything() -> None:
    for model in (Product, DeliveryMethod, TaxRate):
        model.objects.all().delete()


@pytest.mark.parametrize("change", [change_everything, delete_everything])
def test_an_order_and_its_replay_do_not_change(
    customer: APIClient, path: str, settings: Any, change: Callable[[], None]
) -> None:
    key = {"Idempotency-Key": "k"}
    first = customer.post(f"{path}checkout/", headers=key).json()
    change()
    settings.PRICES_INCLUDE_TAX, settings.SHOP_COUNTRY = False, "AT"
    again = customer.post(f"{path}checkout/", headers=key)
    assert (again.status_code, again["Idempotent-Replayed"]) == (201, "true")
    for body in (again.json(), customer.get(f"/orders/{first['number']}/").json()):
        if change is delete_everything:
            assert [item.pop("product") for item in body["items"]] == [None]
            assert body == {**first, "items": [{k: v for k, v in first["items"][0].items() if k != "product"}]}
        else:
            assert body == first


def test_amounts_of_20_digits(customer: APIClient, settings: Any) -> None:
    settings.PRICES_INCLUDE_TAX = False
    factories.tax_rate("15.5555", "DE")
    goods = [factories.product(f"p{number}", price="99999999.99", quantity=2**31 - 1) for number in range(4)]
    path = f"/carts/{fill_cart(customer, *((each, 2**31 - 1) for each in goods))}/"
    cart = customer.patch(path, {"shipping_address": BERLIN}).json()
    line = Decimal("99999999.99") * (2**31 - 1)
    tax = (line * Decimal("15.5555") / 100).quantize(Decimal("0.01"))  # no half cent
    assert cart["amounts"]["items"] == str(4 * line) == "858993458714100654.12"
    assert cart["amounts"]["tax"] == str(4 * tax)
    assert cart["amounts"]["total"] == str(4 * (line + tax))
    order = customer.post(f"{path}checkout/").json()
    assert (order["amounts"], order["total"]) == (cart["amounts"], cart["amounts"]["total"])
    stored = customer.get(f"/orders/{order['number']}/").json()
    assert stored["amounts"] == cart["amounts"]
    # SQLite stores the 15 first digits of a decimal.
    assert connection.vendor == "sqlite" or stored == order


def test_a_total_that_only_the_tax_makes_too_large_is_refused(customer: APIClient, settings: Any) -> None:
    settings.PRICES_INCLUDE_TAX = False
    factories.tax_rate("27", "DE")
    goods = [factories.product(f"p{number}", price="99999999.99", quantity=2**31 - 1) for number in range(4)]
    path = f"/carts/{fill_cart(customer, *((each, 2**31 - 1) for each in goods))}/"
    assert len(customer.patch(path, {"shipping_address": BERLIN}).json()["amounts"]["total"]) == 22
    refused = customer.post(f"{path}checkout/")
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, "max_total")
    assert Cart.objects.exists()


# The statements of a checkout in a shop without delivery methods and tax rates: as many as before there were any.
PLAIN = 15


def test_delivery_and_tax_cost_two_statements_at_checkout(customer: APIClient) -> None:
    def check_out(**details: Any) -> int:
        path = f"/carts/{fill_cart(customer)}/"
        customer.patch(path, details)
        tag = customer.get(path)["ETag"]
        with CaptureQueriesContext(connection) as executed:
            assert customer.post(f"{path}checkout/", headers={"If-Match": tag}).status_code == 201
        return len(executed)

    assert check_out() == PLAIN
    factories.tax_rate("19", "DE")
    factories.delivery_method("parcel")
    assert check_out(shipping_address=BERLIN, delivery_method="parcel") == PLAIN + 2


def test_details_in_the_request_cost_three_more(customer: APIClient) -> None:
    """The address book, and methods and rates again: with other details they may be others."""
    factories.tax_rate("19", "DE")
    factories.delivery_method("parcel")
    address = customer.post("/account/addresses/", BERLIN).json()["id"]
    path = f"/carts/{fill_cart(customer)}/"
    by_id = {"id": address}
    details = {"shipping_address": by_id, "billing_address": by_id, "delivery_method": "parcel"}
    tag = customer.get(path)["ETag"]
    with CaptureQueriesContext(connection) as executed:
        response = customer.patch(path, {"completed": True, **details}, headers={"If-Match": tag})
    assert response.status_code == 200
    assert len(executed) == PLAIN + 5

"""What a cart costs with delivery and tax, what it lacks, and what is offered for it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from carts.models import Cart, CartItem
from products.models import Product
from taxes.rates import today
from tests import factories
from tests.addresses import BERLIN, VIENNA
from tests.buying import fill_cart
from tests.guests import ADDRESS, GuestClient, fill, new_guest
from tests.queries import queries

pytestmark = pytest.mark.django_db


def amounts(items: str, delivery: str, tax: str, total: str) -> dict[str, str]:
    return {"items": items, "delivery": delivery, "tax": tax, "total": total}


@pytest.fixture
def cart_of(customer: APIClient) -> Callable[..., dict[str, Any]]:
    """A function that fills the customer's cart and sets its details; returns the cart."""

    def make(*wanted: tuple[Product, int], **details: Any) -> dict[str, Any]:
        cart = fill_cart(customer, *wanted)
        response = customer.patch(f"/carts/{cart}/", details)
        assert response.status_code == 200, response.content
        assert customer.get(f"/carts/{cart}/").json() == customer.get("/carts/").json()["results"][0] == response.json()
        return response.json()

    return make


def test_a_shop_without_methods_and_rates_charges_the_items(cart_of: Callable[..., dict[str, Any]]) -> None:
    cart = cart_of((factories.product(price="19.90"), 2), shipping_address=BERLIN)
    assert cart["amounts"] == amounts("39.80", "0.00", "0.00", "39.80")
    assert (cart["total"], cart["tax_lines"], cart["missing"]) == ("39.80", [], [])


def test_prices_include_tax(cart_of: Callable[..., dict[str, Any]]) -> None:
    factories.tax_rate("21", "NL")
    factories.delivery_method("parcel", price="4.96")
    goods = [(factories.product(name, price=price), 1) for name, price in (("Shoe", "45.00"), ("Boot", "49.00"))]
    cart = cart_of(*goods, shipping_address={**BERLIN, "country": "NL"}, delivery_method="parcel")
    # 7.81 + 8.50 + 0.86, each rounded by itself.
    assert cart["amounts"] == amounts("94.00", "4.96", "17.17", "98.96")
    assert cart["tax_lines"] == [{"rate": "21", "net": "81.79", "tax": "17.17"}]
    assert cart["total"] == "94.00"


def test_tax_is_added_to_net_prices(cart_of: Callable[..., dict[str, Any]], settings: Any) -> None:
    settings.PRICES_INCLUDE_TAX = False
    factories.tax_rate("20", "AT")
    factories.tax_rate("10.5", "AT", tax_class="reduced")
    factories.delivery_method("parcel", price="5.00")
    book = factories.product("Book", price="9.99", tax_class="reduced")
    small = [(factories.product(f"Pin {number}", price="0.02"), 1) for number in range(5)]
    cart = cart_of((book, 3), *small, shipping_address=VIENNA, delivery_method="parcel")
    # The book 3.14685, each pin 0.004, the delivery 1.00.
    assert cart["amounts"] == amounts("30.07", "5.00", "4.15", "39.22")
    assert cart["tax_lines"] == [
        {"rate": "10.5", "net": "29.97", "tax": "3.15"},
        {"rate": "20", "net": "5.10", "tax": "1.00"},
    ]


def test_the_country_is_the_shipping_addresss_or_else_the_shops(
    cart_of: Callable[..., dict[str, Any]], settings: Any
) -> None:
    settings.SHOP_COUNTRY = "DE"
    factories.tax_rate("19", "DE")
    factories.tax_rate("20", "AT")
    goods = (factories.product(price="119.00"), 1)
    assert [line["rate"] for line in cart_of(goods)["tax_lines"]] == ["19"]
    assert [line["rate"] for line in cart_of(goods, shipping_address=VIENNA)["tax_lines"]] == ["20"]
    # Another billing address changes no amount.
    billed = cart_of(goods, billing_address=BERLIN)
    assert [line["rate"] for line in billed["tax_lines"]] == ["20"]
    settings.SHOP_COUNTRY = ""
    assert cart_of(goods, shipping_address=None)["tax_lines"] == []


def test_a_country_or_a_class_without_a_rate_shows_no_tax(cart_of: Callable[..., dict[str, Any]]) -> None:
    factories.tax_rate("19", "DE")
    shoe, book = factories.product(price="11.90"), factories.product("Book", price="5.00", tax_class="reduced")
    cart = cart_of((shoe, 1), (book, 1), shipping_address=BERLIN)
    assert cart["amounts"] == amounts("16.90", "0.00", "1.90", "16.90")
    assert cart["tax_lines"] == [{"rate": "19", "net": "10.00", "tax": "1.90"}]
    cart = cart_of((shoe, 1), shipping_address=VIENNA)
    assert (cart["amounts"]["tax"], cart["tax_lines"]) == ("0.00", [])
    factories.tax_rate("0", "AT")
    cart = cart_of((shoe, 1))
    assert cart["tax_lines"] == [{"rate": "0", "net": "35.70", "tax": "0.00"}]


def test_a_rate_begins_on_its_day_and_the_latest_is_in_force(cart_of: Callable[..., dict[str, Any]]) -> None:
    factories.tax_rate("16", "DE")
    factories.tax_rate("19", "DE", valid_from=today())
    factories.tax_rate("21", "DE", valid_from=today() + timedelta(days=1))
    cart = cart_of((factories.product(), 1), shipping_address=BERLIN)
    assert [line["rate"] for line in cart["tax_lines"]] == ["19"]


@pytest.mark.parametrize(("price", "cost"), [("49.99", "4.90"), ("50.00", "0.00"), ("50.01", "0.00")])
def test_delivery_is_free_from_exactly_50(cart_of: Callable[..., dict[str, Any]], price: str, cost: str) -> None:
    factories.delivery_method("parcel", free_from="50.00")
    cart = cart_of((factories.product(price=price), 1), shipping_address=BERLIN, delivery_method="parcel")
    assert cart["amounts"]["delivery"] == cost


def test_a_free_order(cart_of: Callable[..., dict[str, Any]], customer: APIClient) -> None:
    factories.tax_rate("19", "DE")
    factories.delivery_method("parcel", free_from="0.00")
    cart = cart_of((factories.product(price="0.00"), 3), shipping_address=BERLIN, delivery_method="parcel")
    assert cart["amounts"] == amounts("0.00", "0.00", "0.00", "0.00")
    order = customer.post(f"/carts/{cart['id']}/checkout/").json()
    assert (order["status"], order["total"], order["amounts"]) == ("paid", "0.00", cart["amounts"])
    assert order["tax_lines"] == cart["tax_lines"] == [{"rate": "19", "net": "0.00", "tax": "0.00"}]


def test_a_deleted_products_line_costs_nothing(cart_of: Callable[..., dict[str, Any]], customer: APIClient) -> None:
    factories.tax_rate("19", "DE")
    factories.delivery_method("parcel", free_from="50.00")
    gone = factories.product("Gone", price="99.00")
    cart = cart_of((factories.product(price="11.90"), 1), (gone, 1), shipping_address=BERLIN, delivery_method="parcel")
    assert cart["amounts"]["total"] == "110.90"
    gone.delete()
    cart = customer.get(f"/carts/{cart['id']}/").json()
    assert cart["amounts"] == amounts("11.90", "4.90", "2.68", "16.80")
    refused = customer.post(f"/carts/{cart['id']}/checkout/")
    assert (refused.status_code, refused.json()["shortages"][0]["name"]) == (409, "Gone")


def test_what_is_missing_and_its_order(guest: GuestClient, api: APIClient) -> None:
    factories.delivery_method("parcel")
    path = f"/carts/{fill(guest, factories.product())}/"
    needed = ["email", "shipping_address", "delivery_method"]
    for detail in ({}, {"delivery_method": "parcel"}, {"shipping_address": BERLIN}, {"email": ADDRESS}):
        needed = [name for name in needed if name not in detail]
        assert guest.patch(path, detail).json()["missing"] == needed
        if needed:
            refused = guest.post(f"{path}checkout/")
            assert refused.status_code == 409
            assert (refused.json()["type"], refused.json()["missing"]) == ("/problems/checkout-incomplete", needed)
    CartItem.objects.all().delete()
    guest.patch(path, {"shipping_address": None})
    assert guest.post(f"{path}checkout/").json()["type"] == "/problems/empty-cart"
    other = new_guest(api)
    cart = other.get(f"/carts/{fill(other, factories.product('Hat'))}/").json()
    assert cart["missing"] == ["email", "shipping_address", "delivery_method"]


def test_a_pickup_needs_no_address(cart_of: Callable[..., dict[str, Any]], customer: APIClient) -> None:
    factories.delivery_method("parcel")
    factories.delivery_method("pickup", price="0.00", needs_address=False)
    assert cart_of()["missing"] == ["delivery_method"]
    cart = cart_of(delivery_method="pickup")
    assert cart["missing"] == []
    order = customer.post(f"/carts/{cart['id']}/checkout/").json()
    assert (order["shipping_address"], order["delivery"]["code"]) == (None, "pickup")


def test_inactive_methods_alone_ask_for_nothing(cart_of: Callable[..., dict[str, Any]]) -> None:
    factories.delivery_method("parcel", is_active=False)
    assert cart_of()["missing"] == []


def test_what_is_offered_for_a_cart(customer: APIClient) -> None:
    factories.delivery_method("parcel", price="4.90", countries=["DE"], free_from="50.00")
    factories.delivery_method("pickup", price="0.00", needs_address=False, position=1)
    factories.delivery_method("freight", price="60.00", min_amount="100.00", position=2)
    factories.delivery_method("letter", price="1.00", max_amount="39.79", position=3)
    factories.delivery_method("balloon", is_active=False)

    path = f"/carts/{fill_cart(customer, (factories.product(price='39.80'), 1))}/"

    def offers(**details: Any) -> dict[str, tuple[str, bool, str | None]]:
        assert customer.patch(path, details).status_code == 200
        rows = customer.get(f"{path}delivery-methods/").json()["results"]
        return {row["code"]: (row["price"], row["available"], row["reason"]) for row in rows}

    assert list(offers().items()) == [
        ("parcel", ("4.90", False, "address_missing")),
        ("pickup", ("0.00", True, None)),
        ("freight", ("60.00", False, "address_missing")),
        ("letter", ("1.00", False, "address_missing")),
    ]
    assert offers(shipping_address=BERLIN) == {
        "parcel": ("4.90", True, None),
        "pickup": ("0.00", True, None),
        "freight": ("60.00", False, "amount_too_low"),
        "letter": ("1.00", False, "amount_too_high"),
    }
    assert offers(shipping_address=VIENNA)["parcel"] == ("4.90", False, "country")
    Product.objects.update(price="100.00")
    assert offers(shipping_address=BERLIN)["parcel"] == ("0.00", True, None)
    assert offers()["freight"] == ("60.00", True, None)


def test_the_row_of_an_offer(customer: APIClient) -> None:
    method = factories.delivery_method("parcel", free_from="50.00", description="Two days")
    response = customer.get(f"/carts/{fill_cart(customer)}/delivery-methods/")
    assert response.json() == {
        "results": [
            {
                "id": method.pk,
                "code": "parcel",
                "name": "Parcel",
                "description": "Two days",
                "price": "4.90",
                "free_from": "50.00",
                "min_amount": None,
                "max_amount": None,
                "countries": [],
                "needs_address": True,
                "available": False,
                "reason": "address_missing",
            }
        ]
    }
    assert customer.get(f"/carts/{Cart.objects.get().pk}/delivery-methods/?limit=1").status_code == 400
    known = {"If-None-Match": response["ETag"]}
    assert customer.get(f"/carts/{Cart.objects.get().pk}/delivery-methods/", headers=known).status_code == 304


def test_the_queries_do_not_grow_with_items_methods_rates_and_carts(customer: APIClient, staff: APIClient) -> None:
    factories.tax_rate("19", "DE")
    factories.delivery_method("parcel")
    path = f"/carts/{fill_cart(customer)}/"
    customer.patch(path, {"shipping_address": BERLIN, "delivery_method": "parcel"})
    counts = []
    for size in (2, 20):
        for index in range(CartItem.objects.count(), size):
            fill_cart(customer, (factories.product(f"p{index}", tax_class=f"class{index}"), 1))
            factories.delivery_method(f"m{index}")
            factories.tax_rate("7", "AT", tax_class=f"class{index}")
            other = Cart.objects.create(user=factories.user(f"u{index}"), shipping_country="AT", shipping_name="Otto")
            CartItem.objects.create(cart=other, product=factories.product(f"q{index}"), quantity=1)
        counts.append(
            [queries(customer, path), queries(customer, f"{path}delivery-methods/"), queries(staff, "/carts/")]
        )
    # The token's user, the cart, its items, products and images; methods and rates. The offers need no rates.
    # The permissions of staff take none, since a superuser has all.
    assert counts == [[7, 6, 7]] * 2

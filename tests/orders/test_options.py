"""The options of a product in carts, orders, mails and on the packing slip."""

import pytest
from django.template.loader import render_to_string
from rest_framework.test import APIClient

from orders.models import Order
from tests import factories
from tests.buying import fill_cart
from tests.mail import deliver
from tests.orders.test_mails import html_of

pytestmark = pytest.mark.django_db


def test_an_orders_line_keeps_the_options_as_they_were(customer: APIClient, staff: APIClient) -> None:
    product = factories.member(factories.family(axes=["Size", "Colour"]), "M", "Red & blue")
    options = {"Size": "M", "Colour": "Red & blue"}
    cart = fill_cart(customer, (product, 2), (factories.product("Hat"), 1))
    assert [item["options"] for item in customer.get(f"/carts/{cart}/").json()["items"]] == [options, {}]
    number = customer.post(f"/carts/{cart}/checkout/").json()["number"]
    staff.patch(f"/products/{product.pk}/", {"options": {"Size": "L"}})
    staff.delete(f"/families/{product.family_id}/")
    assert [line["options"] for line in customer.get(f"/orders/{number}/").json()["items"]] == [options, {}]


def test_mails_and_the_packing_slip_show_them(customer: APIClient) -> None:
    product = factories.member(factories.family(axes=["Size", "Colour"]), "M", "Red & blue")
    number = customer.post(f"/carts/{fill_cart(customer, (product, 2))}/checkout/").json()["number"]
    order = Order.objects.get(number=number)
    assert order.items[0].options_text == "Size: M, Colour: Red & blue"
    assert "Size: M, Colour: Red &amp; blue" in render_to_string("orders/slip.html", {"order": order})
    (mail,) = deliver()
    assert "2 x Shirt, M, Red & blue [Size: M, Colour: Red & blue] (" in str(mail.body)
    assert "Size: M, Colour: Red &amp; blue" in html_of(mail)

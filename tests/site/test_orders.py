"""Carts and orders in the admin, and actions with a confirmation page."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from carts.models import Cart, CartItem
from orders.models import Order, OrderChange
from productbackend.database.postal_addresses import PostalAddress
from products.inventory import stock
from products.models import Product, StockMovement
from tests import factories
from tests.site.pages import confirm, create_rows, run_action, url

pytestmark = pytest.mark.django_db


@pytest.fixture
def cart_page() -> Callable[..., tuple[str, dict[str, Any], Cart]]:
    """A function that creates a cart with one item; returns its page, form data and cart."""

    def make(product: Product, quantity: int = 2, **changes: Any) -> tuple[str, dict[str, Any], Cart]:
        cart = Cart.objects.create(user=factories.user("carla"))
        item = CartItem.objects.create(cart=cart, product=product, quantity=quantity)
        data = {"items-TOTAL_FORMS": 1, "items-INITIAL_FORMS": 1, "items-0-id": item.pk, "items-0-cart": cart.pk}
        data |= {"items-0-product": product.pk, "items-0-quantity": quantity}
        return url("carts.cart", "change", cart.pk), data | changes, cart

    return make


def test_the_completed_checkbox_checks_out_the_cart_of_the_page(admin_client: Client, cart_page: Any) -> None:
    product = factories.product(quantity=10)
    page, data, cart = cart_page(product, **{"completed": "on", "items-0-quantity": 4})
    answer = admin_client.post(page, data)
    order = Order.objects.get()
    assert answer["Location"] == url("orders.order", "change", order.pk)
    assert order.number in admin_client.get(answer["Location"]).content.decode()
    assert [line.quantity for line in order.lines.all()] == [4]
    # The order belongs to the customer, and the history names the member of staff.
    assert (order.user, str(order.placed_by)) == (cart.user, "stella")
    assert str(OrderChange.objects.get().user) == str(StockMovement.objects.get(reason="sale").user) == "stella"
    product.refresh_from_db()
    assert product.quantity == 6
    assert not Cart.objects.filter(pk=cart.pk).exists()


def test_a_shortage_at_checkout_changes_nothing(admin_client: Client, cart_page: Any) -> None:
    product, other = factories.product(quantity=10), factories.product("Blue shoe")
    new = {"items-TOTAL_FORMS": 2, "items-1-product": other.pk, "items-1-quantity": 1}
    page, data, cart = cart_page(product, quantity=8, completed="on", **new)
    stock.sell(wanted=[stock.StockRequest(product.pk, "", 5)], order_number="N", user=None)
    answer = admin_client.post(page, data, follow=True)
    assert answer.status_code == 200
    assert "There is not enough in stock" in answer.content.decode()
    cart.refresh_from_db()
    assert cart.completed is False
    assert [(item.product_id, item.quantity) for item in cart.items.all()] == [(product.pk, 8)]
    assert not Order.objects.exists()


def test_a_duplicate_product_in_a_cart_is_a_form_error(admin_client: Client, cart_page: Any) -> None:
    product = factories.product(quantity=10)
    new = {"items-TOTAL_FORMS": 2, "items-1-product": product.pk, "items-1-quantity": 1}
    page, data, cart = cart_page(product, **new)
    answer = admin_client.post(page, data)
    assert answer.status_code == 200
    assert "A cart has one item per product" in answer.content.decode()
    assert [item.quantity for item in cart.items.all()] == [2]


@pytest.mark.thorough
def test_a_cart_of_300_lines_is_saved(admin_client: Client) -> None:
    cart = Cart.objects.create(user=factories.user())
    Product.objects.bulk_create(
        Product(name=f"Shoe {n}", name_key=f"shoe {n}", slug=f"shoe-{n}", sku=f"SHOE-{n}", quantity=9, price=1)
        for n in range(300)
    )
    CartItem.objects.bulk_create(CartItem(cart=cart, product=product, quantity=1) for product in Product.objects.all())
    data: dict[str, Any] = {"items-TOTAL_FORMS": 300, "items-INITIAL_FORMS": 300, "_save": "Save"}
    for row, item in enumerate(CartItem.objects.order_by("pk")):
        fields = {"id": item.pk, "cart": cart.pk, "product": item.product_id, "quantity": 2 if row == 299 else 1}
        data |= {f"items-{row}-{name}": value for name, value in fields.items()}
    answer = admin_client.post(url("carts.cart", "change", cart.pk), data)
    assert answer.status_code == 302, answer.content
    assert CartItem.objects.order_by("pk").last().quantity == 2  # type: ignore[union-attr]


def test_the_page_of_a_cart_shows_where_it_goes_and_what_it_costs(admin_client: Client, cart_page: Any) -> None:
    page, data, cart = cart_page(factories.product(price="10.00", quantity=10))
    plain = admin_client.get(page).content.decode()
    assert "20.00 goods + 0.00 delivery: 20.00 EUR" in plain
    factories.delivery_method("parcel")
    factories.tax_rate("5.5", "FR")
    address = PostalAddress(name="<b>Carla</b>", line1="Rue 1", city="Paris", country="FR")
    Cart.objects.update(phone="+33 1", **Cart.shipping_address.values(address))
    shown = admin_client.get(page).content.decode()
    for text in ("&lt;b&gt;Carla&lt;/b&gt;<br>Rue 1<br>Paris<br>France", "+33 1", "carla@example.com", "1.04 at 5.5 %"):
        assert text in shown, text
    assert "delivery_method" in shown  # missing
    # The page does not write what it shows.
    answer = admin_client.post(page, data | {"phone": "2", "delivery_method": "parcel", "shipping_country": "DE"})
    assert answer.status_code == 302
    cart.refresh_from_db()
    assert (cart.phone, cart.delivery_method, cart.shipping_country) == ("+33 1", "", "FR")
    refused = admin_client.post(page, data | {"completed": "on"}, follow=True).content.decode()
    assert "The cart lacks what checkout needs: delivery_method" in refused
    Cart.objects.update(delivery_method="parcel")
    admin_client.post(page, data | {"completed": "on"})
    order = Order.objects.get()
    assert (order.total, order.shipping_address, order.delivery_code) == (Decimal("24.90"), address, "parcel")


def test_a_new_cart_is_added_for_a_customer(admin_client: Client) -> None:
    page = url("carts.cart", "add")
    assert "Amounts" not in admin_client.get(page).content.decode()
    user = factories.user("carla")
    data = {"user": user.pk, "items-TOTAL_FORMS": 0, "items-INITIAL_FORMS": 0}
    assert admin_client.post(page, data).status_code == 302
    assert Cart.objects.get().user == user


def test_an_empty_cart_is_not_checked_out(admin_client: Client, cart_page: Any) -> None:
    page, data, cart = cart_page(factories.product(), **{"completed": "on", "items-0-DELETE": "on"})
    answer = admin_client.post(page, data, follow=True)
    assert "The cart has no items" in answer.content.decode()
    cart.refresh_from_db()
    assert cart.items.count() == 1


def test_a_quantity_above_stock_is_an_error_of_its_field(admin_client: Client, cart_page: Any) -> None:
    page, data, cart = cart_page(factories.product(quantity=10), **{"items-0-quantity": 11})
    answer = admin_client.post(page, data)
    assert "There is not enough in stock" in answer.content.decode()
    assert cart.items.get().quantity == 2


def test_an_order_changes_its_status_but_cannot_be_edited(admin_client: Client) -> None:
    create_rows(1)
    order = Order.objects.get()
    page = url("orders.order", "change", order.pk)
    assert 'name="status"' not in admin_client.get(page).content.decode()
    assert admin_client.post(page, {"status": "cancelled"}).status_code == 403
    assert admin_client.get(url("orders.order", "delete", order.pk)).status_code == 403

    def act(action: str) -> str:
        page = run_action(admin_client, "orders.order", action, order.pk)
        return confirm(admin_client, "orders.order", page)

    assert "One order is fulfilled" in act("fulfil")
    assert "cannot be cancelled" in act("cancel")
    order.refresh_from_db()
    assert order.status == "fulfilled"
    assert list(order.changes.values_list("status", "user__username"))[1:] == [("fulfilled", "stella")]


def test_cancelling_an_order_restores_stock(admin_client: Client) -> None:
    create_rows(1)
    page = run_action(admin_client, "orders.order", "cancel", Order.objects.get().pk)
    assert "1 order will be cancelled" in page
    assert Product.objects.get().quantity == 8
    confirm(admin_client, "orders.order", page)
    assert Product.objects.get().quantity == 10


def paid_orders(number: int) -> list[int]:
    return [
        Order.objects.create(number=f"N{each}", cart_id=1000 + each, total=1, currency="EUR").pk
        for each in range(Order.objects.count(), Order.objects.count() + number)
    ]


def test_the_confirmation_page_shows_the_exact_number_of_selected_rows(admin_client: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr("productbackend.site.admin.COUNT_MAX", 60)
    ids = paid_orders(75)
    listing = admin_client.get(url("orders.order", "changelist")).content.decode()
    assert "Select all orders of this list" in listing
    assert "Select all 60" not in listing
    page = run_action(admin_client, "orders.order", "fulfil", ids[0], across=True)
    assert "75 orders will be fulfilled." in page
    assert "and 55 more" in page
    assert not Order.objects.filter(status="fulfilled").exists()
    newer = paid_orders(1)
    assert "75 orders are fulfilled." in confirm(admin_client, "orders.order", page)
    assert list(Order.objects.filter(status="paid").values_list("pk", flat=True)) == newer


def test_a_list_below_the_count_limit_shows_its_number(admin_client: Client) -> None:
    paid_orders(51)
    assert "Select all 51 orders" in admin_client.get(url("orders.order", "changelist")).content.decode()


def test_a_changed_selection_must_be_confirmed_again(admin_client: Client) -> None:
    ids = paid_orders(3)
    page = run_action(admin_client, "orders.order", "fulfil", ids[0], across=True, query="?status__exact=paid")
    Order.objects.filter(pk=ids[1]).update(status="cancelled")
    again = confirm(admin_client, "orders.order", page, query="?status__exact=paid")
    assert "the selection has changed since" in again
    assert "2 orders will be fulfilled." in again
    assert not Order.objects.filter(status="fulfilled").exists()
    assert "2 orders are fulfilled." in confirm(admin_client, "orders.order", again, query="?status__exact=paid")


def test_an_action_requires_the_permission_to_change_orders(admin_client: Client) -> None:
    (pk,) = paid_orders(1)
    viewer = factories.user("viewer", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_order"))
    admin_client.force_login(viewer)
    answer = run_action(admin_client, "orders.order", "fulfil", pk)
    assert "will be fulfilled" not in answer
    run_action(admin_client, "orders.order", "fulfil", pk, post="yes")
    assert Order.objects.get().status == "paid"


def test_too_many_rows_cannot_be_deleted_in_one_action(admin_client: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr("productbackend.site.admin.DELETE_MAX", 2)
    ids = [factories.product(f"Shoe {number}").pk for number in range(3)]
    page = run_action(admin_client, "products.product", "delete_selected", ids[0], across=True)
    assert "3 are selected, and at most 2 can be deleted in one action" in page
    assert 'name="post"' not in page


def test_a_note_is_added_by_those_who_may_change_orders(admin_client: Client, customer: Any) -> None:
    order = Order.objects.create(number="NOTED", cart_id=1, total=1, currency="EUR", email="carla@example.com")
    page, shown = url("orders.order", "note", order.pk), url("orders.order", "change", order.pk)
    assert "notes-group" not in admin_client.get(shown).content.decode()
    for text in ("", " ", "x" * 2_001):
        assert 'class="errorlist"' in admin_client.post(page, {"text": text}).content.decode()
    assert admin_client.post(page, {"text": "<b>Called</b>"})["Location"] == shown
    content = admin_client.get(shown).content.decode()
    assert "&lt;b&gt;Called&lt;/b&gt;" in content
    assert [(str(note.user), note.text) for note in order.notes.all()] == [("stella", "<b>Called</b>")]
    assert "Called" not in customer.get("/orders/").content.decode()
    assert admin_client.post(url("orders.order", "note", order.pk + 1), {"text": "x"}).status_code == 404
    reader = factories.user("rita", is_staff=True)
    reader.user_permissions.set(Permission.objects.filter(codename="view_order"))
    admin_client.force_login(reader)
    assert "&lt;b&gt;Called" in admin_client.get(shown).content.decode()
    assert admin_client.post(page, {"text": "x"}).status_code == 403

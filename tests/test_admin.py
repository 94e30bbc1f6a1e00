"""The admin: every page answers, and no page lets the shop's rules be passed by."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from carts.models import Cart, CartItem
from orders.models import Order, OrderChange
from outbox.models import Mail
from products import images, stock
from products.models import Category, Product, ProductImage, StockMovement
from tests import factories
from tests.products import pictures

pytestmark = pytest.mark.django_db

MODELS = ["accounts.user", "products.category", "products.product", "products.stockmovement", "carts.cart"]
MODELS += ["orders.order", "outbox.mail"]


@pytest.fixture(autouse=True)
def uncollected_files(settings: Any) -> None:
    """Pages name their static files as they are: nothing is collected in tests."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": plain}


@pytest.fixture
def admin_client() -> Client:
    client = Client()
    client.force_login(factories.user("stella", is_staff=True, is_superuser=True))
    return client


def url(model: str, page: str, *arguments: Any) -> str:
    return reverse(f"admin:{model.replace('.', '_')}_{page}", args=arguments)


def shop(rows: int, prefix: str = "") -> None:
    """So many of everything."""
    for number in range(rows):
        name = f"{prefix}{number}"
        root = factories.category(f"root {name}")
        category = factories.category(f"leaf {name}", parent=root)
        product = factories.product(f"shoe {name}", category=category, brand="Merrow")
        image, _ = images.add(product_id=product.pk, file=SimpleUploadedFile("a.jpg", pictures.jpeg(200, 150)))
        images.process(image.pk)
        for kind in ("ordered", "waiting"):
            cart = Cart.objects.create(user=factories.user(f"{kind}{name}"))
            CartItem.objects.create(cart=cart, product=product, quantity=2)
            if kind == "ordered":
                cart.completed = True
                cart.save()


def row_of(model: str) -> Any:
    site_model = next(m for m in admin.site._registry if m._meta.label_lower == model)
    return site_model._default_manager.order_by("pk").last()


@pytest.mark.parametrize("model", MODELS)
def test_every_page_of_a_model_answers(admin_client: Client, model: str) -> None:
    shop(2)
    listing = url(model, "changelist")
    for query in ("", "?q=shoe", "?q=%C3%89%25_", "?p=1", "?all="):
        assert admin_client.get(listing + query).status_code == 200, query
    assert admin_client.get(url(model, "change", row_of(model).pk)).status_code == 200
    assert admin_client.get(url(model, "history", row_of(model).pk)).status_code == 200
    written_by_the_shop = model in ("products.stockmovement", "orders.order", "outbox.mail")
    assert admin_client.get(url(model, "add")).status_code == (403 if written_by_the_shop else 200)


@pytest.mark.parametrize("model", MODELS)
def test_a_list_takes_as_many_queries_for_ten_rows_as_for_two(admin_client: Client, model: str) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as context:
            assert admin_client.get(url(model, "changelist")).status_code == 200
        return len(context)

    shop(2)
    few = queries()
    shop(8, "more")
    assert queries() == few <= 12


@pytest.mark.django_db(transaction=True)  # InnoDB's search sees committed rows only
@pytest.mark.parametrize(
    ("field", "term", "found"),
    [
        ("products.product.category", "LEAF", ["root 0 › leaf 0"]),
        ("carts.cart.user", "wait", ["waiting0"]),
        ("carts.cartitem.product", "merrow", ["shoe 0"]),
    ],
)
def test_autocomplete_finds(admin_client: Client, field: str, term: str, found: list[str]) -> None:
    shop(1)
    app, model, name = field.split(".")
    query = {"app_label": app, "model_name": model, "field_name": name, "term": term}
    results = admin_client.get(reverse("admin:autocomplete"), query).json()["results"]
    assert [result["text"] for result in results] == [found[0].split(" › ")[-1]]


@pytest.mark.django_db(transaction=True)  # InnoDB's search sees committed rows only
@pytest.mark.parametrize("query", ["q=kettle", "q=blue%20kettle", "q=kettle-1", "stock=none", "is_active__exact=0"])
def test_products_are_found(admin_client: Client, query: str) -> None:
    factories.product("Red shoe")
    factories.product("Blue Kettle", sku="KETTLE-1", quantity=0, is_active=False)
    page = admin_client.get(url("products.product", "changelist") + f"?{query}").content.decode()
    assert "Blue Kettle" in page
    assert "Red shoe" not in page


def test_products_of_a_department_are_those_of_its_subtree(admin_client: Client) -> None:
    shop(2)
    root = Category.objects.get(name="root 1")
    page = admin_client.get(url("products.product", "changelist") + f"?department={root.pk}").content.decode()
    assert "shoe 1" in page
    assert "shoe 0" not in page


def test_a_list_shows_the_first_ready_picture(admin_client: Client) -> None:
    shop(1)
    page = admin_client.get(url("products.product", "changelist")).content.decode()
    assert "-thumb.jpg" in page


# --- Products --------------------------------------------------------------------------------


def product_form(product: Product | None = None, **changes: Any) -> dict[str, Any]:
    """What a browser sends for a product's page."""
    rows = list(ProductImage.objects.filter(product=product)) if product else []
    data: dict[str, Any] = {
        "name": "Red shoe",
        "price": "19.90",
        "rating": "5",
        "quantity": "10",
        "is_active": "on",
        "images-TOTAL_FORMS": len(rows) + 1,
        "images-INITIAL_FORMS": len(rows),
        f"images-{len(rows)}-position": "0",
    }
    if product:
        data |= {"slug": product.slug, "sku": product.sku, "initial-quantity": product.quantity}
    for index, image in enumerate(rows):
        data |= {f"images-{index}-id": image.pk, f"images-{index}-product": image.product_id}
        data |= {f"images-{index}-alt_text": image.alt_text, f"images-{index}-position": image.position}
    return data | changes


def ledger(product: Product) -> list[int]:
    return list(StockMovement.objects.filter(product=product).order_by("id").values_list("delta", flat=True))


def test_a_new_product_is_in_the_ledger(admin_client: Client) -> None:
    assert admin_client.post(url("products.product", "add"), product_form()).status_code == 302
    product = Product.objects.get()
    assert (product.quantity, ledger(product)) == (10, [10])


def test_what_was_sold_while_the_page_was_open_stays_sold(admin_client: Client) -> None:
    product = factories.product(quantity=10)
    data = product_form(product, quantity="15", name="Red boot")
    stock.take(wanted=[stock.Wanted(product.pk, "", 3)], order_number="N", user=None)
    assert admin_client.post(url("products.product", "change", product.pk), data).status_code == 302
    product.refresh_from_db()
    assert (product.name, product.quantity, ledger(product)) == ("Red boot", 12, [10, -3, 5])


def test_a_description_saved_after_a_sale_brings_nothing_back(admin_client: Client) -> None:
    product = factories.product(quantity=10)
    data = product_form(product, description="Red.")
    stock.take(wanted=[stock.Wanted(product.pk, "", 3)], order_number="N", user=None)
    admin_client.post(url("products.product", "change", product.pk), data)
    product.refresh_from_db()
    assert (product.description, product.quantity, ledger(product)) == ("Red.", 7, [10, -3])


def test_more_is_not_taken_away_than_is_left(admin_client: Client) -> None:
    product = factories.product(quantity=10)
    data = product_form(product, quantity="0", name="Gone")
    stock.take(wanted=[stock.Wanted(product.pk, "", 3)], order_number="N", user=None)
    answer = admin_client.post(url("products.product", "change", product.pk), data)
    assert answer.status_code == 200
    assert "There are 7 now" in answer.content.decode()
    product.refresh_from_db()
    assert (product.name, product.quantity) == ("Red shoe", 7)


def test_a_picture_is_taken_in_as_every_upload_is(admin_client: Client) -> None:
    product = factories.product()
    upload = {
        "images-0-upload": SimpleUploadedFile("x.png", pictures.jpeg(200, 150)),
        "images-0-alt_text": "From above",
    }
    answer = admin_client.post(url("products.product", "change", product.pk), product_form(product, **upload))
    assert answer.status_code == 302
    image = ProductImage.objects.get()
    assert (image.product_id, image.alt_text, image.status, image.format) == (
        product.pk,
        "From above",
        "pending",
        "JPEG",
    )
    data = product_form(product, **{"images-0-alt_text": "From below", "images-0-position": "4"})
    admin_client.post(url("products.product", "change", product.pk), data)
    image.refresh_from_db()
    assert (image.alt_text, image.position) == ("From below", 4)
    admin_client.post(url("products.product", "change", product.pk), product_form(product, **{"images-0-DELETE": "on"}))
    assert not ProductImage.objects.exists()


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"images-0-upload": SimpleUploadedFile("x.jpg", b"not a picture")}, "images-0-upload"),
        ({"images-0-alt_text": "Nothing"}, "Choose a file."),
    ],
)
def test_what_is_no_picture_is_told_at_its_field(admin_client: Client, row: dict[str, Any], said: str) -> None:
    product = factories.product()
    answer = admin_client.post(url("products.product", "change", product.pk), product_form(product, **row))
    assert answer.status_code == 200
    assert "errorlist" in answer.content.decode()
    assert said in answer.content.decode()
    assert not ProductImage.objects.exists()


# --- Categories ------------------------------------------------------------------------------


def test_a_category_moves_with_what_is_below_it(admin_client: Client) -> None:
    home, shoes = factories.category("Home"), factories.category("Shoes")
    boots = factories.category("Boots", parent=shoes)
    page = url("products.category", "change", shoes.pk)
    assert admin_client.post(page, {"name": "Shoes", "slug": "shoes", "parent": home.pk}).status_code == 302
    boots.refresh_from_db()
    assert boots.lineage == f"/{home.pk}/{shoes.pk}/{boots.pk}/"
    answer = admin_client.post(page, {"name": "Shoes", "slug": "shoes", "parent": boots.pk})
    assert "cannot be moved below itself" in answer.content.decode()
    answer = admin_client.post(url("products.category", "add"), {"name": "HOME"})
    assert "There is a category of this name here" in answer.content.decode()


def test_a_category_in_use_is_not_deleted(admin_client: Client) -> None:
    category = factories.category()
    product = factories.product(category=category)
    page = url("products.category", "delete", category.pk)
    assert "products in it" in admin_client.get(page).content.decode()
    admin_client.post(page, {"post": "yes"})
    assert Category.objects.filter(pk=category.pk).exists()
    product.delete()
    admin_client.post(page, {"post": "yes"})
    assert not Category.objects.exists()


# --- Carts and orders ------------------------------------------------------------------------


@pytest.fixture
def cart_page() -> Callable[..., tuple[str, dict[str, Any], Cart]]:
    """A cart with one item, its page, and what a browser sends from there."""

    def make(product: Product, quantity: int = 2, **changes: Any) -> tuple[str, dict[str, Any], Cart]:
        cart = Cart.objects.create(user=factories.user("carla"))
        item = CartItem.objects.create(cart=cart, product=product, quantity=quantity)
        data = {"items-TOTAL_FORMS": 1, "items-INITIAL_FORMS": 1, "items-0-id": item.pk, "items-0-cart": cart.pk}
        data |= {"items-0-product": product.pk, "items-0-quantity": quantity}
        return url("carts.cart", "change", cart.pk), data | changes, cart

    return make


def test_the_completed_box_checks_out_what_the_page_shows(admin_client: Client, cart_page: Any) -> None:
    product = factories.product(quantity=10)
    page, data, cart = cart_page(product, **{"completed": "on", "items-0-quantity": 4})
    answer = admin_client.post(page, data)
    order = Order.objects.get()
    assert answer["Location"] == url("orders.order", "change", order.pk)
    assert order.number in admin_client.get(answer["Location"]).content.decode()
    assert [line.quantity for line in order.lines.all()] == [4]
    # It is the customer's, and everywhere it says which of the staff it was.
    assert (order.user, str(order.placed_by)) == (cart.user, "stella")
    assert str(OrderChange.objects.get().user) == str(StockMovement.objects.get(reason="sale").user) == "stella"
    product.refresh_from_db()
    assert product.quantity == 6
    assert not Cart.objects.filter(pk=cart.pk).exists()


def test_a_shortage_at_the_completed_box_changes_nothing(admin_client: Client, cart_page: Any) -> None:
    product, other = factories.product(quantity=10), factories.product("Blue shoe")
    new = {"items-TOTAL_FORMS": 2, "items-1-product": other.pk, "items-1-quantity": 1}
    page, data, cart = cart_page(product, quantity=8, completed="on", **new)
    stock.take(wanted=[stock.Wanted(product.pk, "", 5)], order_number="N", user=None)
    answer = admin_client.post(page, data, follow=True)
    assert answer.status_code == 200
    assert "There is not enough in stock" in answer.content.decode()
    cart.refresh_from_db()
    assert cart.completed is False
    assert [(item.product_id, item.quantity) for item in cart.items.all()] == [(product.pk, 8)]
    assert not Order.objects.exists()


def test_an_empty_cart_is_not_checked_out(admin_client: Client, cart_page: Any) -> None:
    page, data, cart = cart_page(factories.product(), **{"completed": "on", "items-0-DELETE": "on"})
    answer = admin_client.post(page, data, follow=True)
    assert "The cart has no items" in answer.content.decode()
    cart.refresh_from_db()
    assert cart.items.count() == 1


def test_too_much_of_a_product_is_told_at_its_field(admin_client: Client, cart_page: Any) -> None:
    page, data, cart = cart_page(factories.product(quantity=10), **{"items-0-quantity": 11})
    answer = admin_client.post(page, data)
    assert "There is not enough in stock" in answer.content.decode()
    assert cart.items.get().quantity == 2


def test_an_order_is_read_and_moved_on_but_not_edited(admin_client: Client) -> None:
    shop(1)
    order = Order.objects.get()
    page = url("orders.order", "change", order.pk)
    assert 'name="status"' not in admin_client.get(page).content.decode()
    assert admin_client.post(page, {"status": "cancelled"}).status_code == 403
    assert admin_client.get(url("orders.order", "delete", order.pk)).status_code == 403

    def act(action: str) -> str:
        data = {"action": action, "_selected_action": [order.pk]}
        return admin_client.post(url("orders.order", "changelist"), data, follow=True).content.decode()

    assert "One order is fulfilled" in act("fulfil")
    assert "cannot be cancelled" in act("cancel")
    order.refresh_from_db()
    assert order.status == "fulfilled"
    assert list(order.changes.values_list("status", "user__username"))[1:] == [("fulfilled", "stella")]


def test_a_cancelled_order_is_back_in_stock(admin_client: Client) -> None:
    shop(1)
    data = {"action": "cancel", "_selected_action": [Order.objects.get().pk]}
    admin_client.post(url("orders.order", "changelist"), data)
    assert Product.objects.get().quantity == 10


# --- Mail and accounts -----------------------------------------------------------------------


def test_a_mail_is_sent_again(admin_client: Client) -> None:
    shop(1)
    Mail.objects.update(status="failed", attempts=5)
    data = {"action": "send_again", "_selected_action": [Mail.objects.get().pk]}
    admin_client.post(url("outbox.mail", "changelist"), data)
    mail = Mail.objects.get()
    assert (mail.status, mail.attempts) == ("pending", 0)


def test_an_account_is_made_and_its_name_is_unique_in_any_case(admin_client: Client) -> None:
    data = {"username": "Carla", "password1": "a long enough one", "password2": "a long enough one"}
    page = url("accounts.user", "add")
    assert admin_client.post(page, data | {"email": "Carla@Example.com"}).status_code == 302
    assert "This name is taken" in admin_client.post(page, data | {"username": "CARLA"}).content.decode()
    taken = data | {"username": "Clara", "email": "carla@example.COM"}
    assert "This address is taken" in admin_client.post(page, taken).content.decode()
    assert admin_client.post(page, data | {"username": "noaddress"}).status_code == 302


def test_an_account_is_changed_and_a_new_password_ends_its_tokens(admin_client: Client) -> None:
    user = factories.user("carla")
    page = url("accounts.user", "change", user.pk)
    data = {"username": "Carlotta", "email": "", "is_active": "on"}
    assert admin_client.post(page, data).status_code == 302
    user.refresh_from_db()
    assert (user.username, user.username_key, user.email, user.token_version) == ("Carlotta", "carlotta", None, 0)
    password = {"password1": "a long enough one", "password2": "a long enough one", "usable_password": "true"}
    admin_client.post(reverse("admin:auth_user_password_change", args=[user.pk]), password)
    user.refresh_from_db()
    assert user.check_password("a long enough one")
    assert user.token_version == 1


def test_deleting_an_account_closes_it_and_keeps_its_orders(admin_client: Client) -> None:
    shop(1)
    order = Order.objects.get()
    admin_client.post(url("accounts.user", "delete", order.user_id), {"post": "yes"})
    order.refresh_from_db()
    assert order.user is None

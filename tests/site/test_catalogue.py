"""Products and categories in the admin: its pages enforce the shop's rules."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from products.inventory import stock
from products.models import Category, Product, ProductImage, StockMovement
from tests import factories
from tests.backoffice.people import member
from tests.products import pictures
from tests.site.pages import url

pytestmark = pytest.mark.django_db


def product_form(product: Product | None = None, **changes: Any) -> dict[str, Any]:
    """The form data of a product's page."""
    rows = list(ProductImage.objects.filter(product=product)) if product else []
    data: dict[str, Any] = {
        "name": "Red shoe",
        "price": "19.90",
        "tax_class": "standard",
        "rating": "5",
        "quantity": "10",
        "is_active": "on",
        "images-TOTAL_FORMS": len(rows),
        "images-INITIAL_FORMS": len(rows),
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


def test_a_sale_while_the_page_is_open_is_not_reverted(admin_client: Client) -> None:
    product = factories.product(quantity=10)
    data = product_form(product, quantity="15", name="Red boot")
    stock.sell(wanted=[stock.StockRequest(product.pk, "", 3)], order_number="N", user=None)
    assert admin_client.post(url("products.product", "change", product.pk), data).status_code == 302
    product.refresh_from_db()
    assert (product.name, product.quantity, ledger(product)) == ("Red boot", 12, [10, -3, 5])


def test_saving_a_description_after_a_sale_does_not_restore_stock(admin_client: Client) -> None:
    product = factories.product(quantity=10)
    data = product_form(product, description="Red.")
    stock.sell(wanted=[stock.StockRequest(product.pk, "", 3)], order_number="N", user=None)
    admin_client.post(url("products.product", "change", product.pk), data)
    product.refresh_from_db()
    assert (product.description, product.quantity, ledger(product)) == ("Red.", 7, [10, -3])


def test_the_tax_class_of_a_product_is_changed(admin_client: Client) -> None:
    product = factories.product()
    page = url("products.product", "change", product.pk)
    assert admin_client.post(page, product_form(product, tax_class="reduced")).status_code == 302
    product.refresh_from_db()
    assert (product.tax_class, product.name) == ("reduced", "Red shoe")


def test_stock_cannot_be_reduced_below_zero(admin_client: Client) -> None:
    product = factories.product(quantity=10)
    data = product_form(product, quantity="0", name="Gone")
    stock.sell(wanted=[stock.StockRequest(product.pk, "", 3)], order_number="N", user=None)
    answer = admin_client.post(url("products.product", "change", product.pk), data)
    assert answer.status_code == 200
    assert "7 are in stock now" in answer.content.decode()
    product.refresh_from_db()
    assert (product.name, product.quantity) == ("Red shoe", 7)


def said(client: Client, answer: Any) -> list[str]:
    """The messages on the page to which an answer leads."""
    assert answer.status_code == 302
    return [str(message) for message in client.get(answer["Location"]).context["messages"]]


def file(name: str, width: int = 200) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, pictures.jpeg(width, 150))


@pytest.mark.django_db(transaction=True)  # they are added after the commit
def test_several_pictures_are_processed_like_uploads(admin_client: Client) -> None:
    page = url("products.product", "add")
    answer = admin_client.post(page, product_form(new_pictures=[file("x.png", 200), file("y.jpg", 300)]))
    assert "2 pictures were added. They are shown here once their sizes are made." in said(admin_client, answer)
    product = Product.objects.get()
    images = ProductImage.objects.order_by("position")
    shown = list(images.values_list("product", "width", "position", "status", "format"))
    assert shown == [(product.pk, 200, 0, "pending", "JPEG"), (product.pk, 300, 1, "pending", "JPEG")]
    page = url("products.product", "change", product.pk)
    data = product_form(product, **{"images-0-alt_text": "From below", "images-0-position": "4"})
    admin_client.post(page, data)
    assert list(images.values_list("width", "alt_text", "position")) == [(300, "", 1), (200, "From below", 4)]
    admin_client.post(page, product_form(product, **{"images-0-DELETE": "on"}, new_pictures=[file("z.jpg", 400)]))
    assert list(images.values_list("width", flat=True)) == [200, 400]


@pytest.mark.django_db(transaction=True)
def test_a_refused_picture_loses_nothing_else(admin_client: Client, settings: Any) -> None:
    product = factories.product()
    settings.IMAGE_MAX_BYTES, settings.IMPORT_MAX_BYTES = 20_000, 100_000
    files = [
        SimpleUploadedFile("note<1>.jpg", b"not a picture"),
        file("good.jpg"),
        SimpleUploadedFile("empty.jpg", b""),
        SimpleUploadedFile("large.jpg", b"x" * 20_001),
        file("again.jpg"),
    ]
    data = product_form(product, name="Red boot", new_pictures=files)
    messages = said(admin_client, admin_client.post(url("products.product", "change", product.pk), data))
    product.refresh_from_db()
    assert product.name == "Red boot"
    assert ProductImage.objects.get().width == 200
    assert [text.partition(". ")[0] for text in messages if "added" in text] == [
        "The file note<1>.jpg was not added",
        "The file empty.jpg was not added",
        "The file large.jpg was not added",
        "The file again.jpg was not added: the product has this picture.",
        "One picture was added",
    ]
    assert "The picture may have 20,000 bytes at most." in messages[-3]


@pytest.mark.django_db(transaction=True)
def test_new_pictures_are_for_those_who_may_add_them(client: Client) -> None:
    product = factories.product()
    page = url("products.product", "change", product.pk)
    client.force_login(member("products.view_product"))
    assert "new_pictures" not in client.get(page).content.decode()
    client.force_login(member("products.view_product", "products.change_product", name="abe"))
    assert "new_pictures" not in client.get(page).content.decode()
    assert client.post(page, product_form(product, new_pictures=[file("x.jpg")])).status_code == 302
    assert not ProductImage.objects.exists()


def test_a_category_moves_with_its_descendants(admin_client: Client) -> None:
    home, shoes = factories.category("Home"), factories.category("Shoes")
    boots = factories.category("Boots", parent=shoes)
    page = url("products.category", "change", shoes.pk)
    assert (
        admin_client.post(page, {"name": "Shoes", "slug": "shoes", "parent": home.pk, "position": 0}).status_code == 302
    )
    boots.refresh_from_db()
    assert boots.lineage == f"/{home.pk}/{shoes.pk}/{boots.pk}/"
    answer = admin_client.post(page, {"name": "Shoes", "slug": "shoes", "parent": boots.pk, "position": 0})
    assert "cannot be moved below itself" in answer.content.decode()
    answer = admin_client.post(url("products.category", "add"), {"name": "HOME", "position": 0})
    assert "There is already a category of this name at this level" in answer.content.decode()


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

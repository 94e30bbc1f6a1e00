"""Products and categories in the admin: its pages enforce the shop's rules."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from products.inventory import stock
from products.models import Category, Product, ProductImage, StockMovement
from tests import factories
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


def test_a_picture_is_processed_like_an_upload(admin_client: Client) -> None:
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
def test_an_invalid_picture_is_an_error_of_its_field(admin_client: Client, row: dict[str, Any], said: str) -> None:
    product = factories.product()
    answer = admin_client.post(url("products.product", "change", product.pk), product_form(product, **row))
    assert answer.status_code == 200
    assert "errorlist" in answer.content.decode()
    assert said in answer.content.decode()
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

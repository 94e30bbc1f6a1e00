"""`manage.py demo`: the demo catalogue."""

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Sum
from django.utils import timezone
from PIL import Image, ImageChops

from products.management.demo import catalogue, drawing, words
from products.models import Category, Product, ProductImage, StockMovement

pytestmark = pytest.mark.django_db


def demo(*arguments: str) -> str:
    out = io.StringIO()
    call_command("demo", *arguments, stdout=out)
    return out.getvalue()


def rows() -> list[Any]:
    return list(Product.objects.order_by("sku").values_list("sku", "name", "brand", "price", "quantity", "created_at"))


def test_it_creates_products_in_a_tree_of_three_levels() -> None:
    output = demo("--products", "120", "--pictures", "0")
    assert "120 products" in output
    assert Product.objects.count() == 120
    leaves = Category.objects.filter(products__isnull=False).distinct()
    assert leaves.count() == 41
    for leaf in leaves.select_related("parent__parent"):
        group = leaf.parent
        assert group is not None
        root = group.parent
        assert root is not None
        assert root.parent is None
        assert leaf.lineage == f"/{root.pk}/{group.pk}/{leaf.pk}/"


def test_products_are_valid_in_the_ledger_and_created_over_several_years() -> None:
    demo("--products", "60", "--pictures", "0")
    for product in Product.objects.annotate(moved=Sum("movements__delta")):
        product.full_clean()
        assert product.quantity == product.moved
    assert set(StockMovement.objects.values_list("reason", flat=True)) == {"initial"}
    days = Product.objects.order_by("created_at").values_list("created_at", flat=True)
    assert (days[59] - days[0]).days > 365
    assert days[59] < timezone.now()


def test_a_second_call_creates_missing_products() -> None:
    demo("--products", "30", "--pictures", "0")
    first, categories = rows(), Category.objects.count()
    Product.objects.get(sku=catalogue.sku(7)).delete()
    assert "(31 of them new)" in demo("--products", "60", "--pictures", "0")
    assert rows()[:30] == first
    assert Product.objects.count() == 60
    assert Category.objects.count() == categories
    demo("--products", "10", "--pictures", "0")
    assert Product.objects.count() == 60


def test_if_empty_leaves_existing_products_alone() -> None:
    demo("--products", "3", "--pictures", "0", "--if-empty")
    assert demo("--products", "5", "--pictures", "0", "--if-empty") == ""
    assert Product.objects.count() == 3


def test_existing_categories_are_not_changed() -> None:
    demo("--products", "5", "--pictures", "0")
    count = Category.objects.count()
    category = Category.objects.get(name="Laptops")
    category.name = "Portable Computers"
    category.save()
    demo("--products", "50", "--pictures", "0")
    assert Category.objects.count() == count
    assert category.products.exists()


@pytest.mark.thorough
def test_the_same_seed_creates_the_same_catalogue() -> None:
    demo("--products", "20", "--pictures", "0", "--seed", "5")
    first = rows()
    Product.objects.all().delete()
    demo("--products", "20", "--pictures", "0", "--seed", "5")
    assert rows() == first
    Product.objects.all().delete()
    demo("--products", "20", "--pictures", "0", "--seed", "6")
    assert rows() != first


def test_an_interruption_leaves_complete_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "BATCH", 10)
    build_product = catalogue.build_product

    def interrupted(number: int, *arguments: Any) -> Product:
        if number == 25:
            raise KeyboardInterrupt
        return build_product(number, *arguments)

    monkeypatch.setattr(catalogue, "build_product", interrupted)
    with pytest.raises(CommandError, match="Run the same command to continue") as stopped:
        demo("--products", "40", "--pictures", "0")
    assert stopped.value.returncode == 130
    assert Product.objects.count() == StockMovement.objects.count() == 20


@pytest.mark.parametrize("number", ["0", "-5", "many", "1.5", "10000000", "²"])
def test_an_invalid_number_is_an_error(number: str) -> None:
    with pytest.raises(CommandError, match=r"--products: .* whole number from 1 to 9,999,999"):
        demo("--products", number)
    assert not Category.objects.exists()


@pytest.mark.thorough
def test_queries_do_not_grow_with_the_rows(django_assert_max_num_queries: Any) -> None:
    demo("--products", "1", "--pictures", "0")
    with django_assert_max_num_queries(100):  # some 60 rows go into one INSERT of SQLite
        demo("--products", "300", "--pictures", "0")


def test_the_first_products_get_pending_images() -> None:
    demo("--products", "4", "--pictures", "3")
    images = ProductImage.objects.order_by("product__sku")
    assert [image.product.sku for image in images] == [catalogue.sku(number) for number in (1, 2, 3)]
    assert {(image.width, image.height, image.format) for image in images} == {(*drawing.SIZE, "JPEG")}
    assert all(image.alt_text == image.product.name for image in images)
    demo("--products", "5", "--pictures", "4")
    assert ProductImage.objects.count() == 4


@pytest.mark.thorough
@pytest.mark.parametrize("shape", sorted({leaf.shape for leaf in words.LEAVES}))
def test_every_shape_is_drawn(shape: str) -> None:
    content = drawing.picture(shape, words.COLOURS["Teal"])
    with Image.open(io.BytesIO(content)) as image:
        image.load()
        assert (image.format, image.size) == ("JPEG", drawing.SIZE)
        red, green, _ = image.convert("RGB").split()
    assert sum(ImageChops.subtract(green, red).histogram()[40:]) > 2_000  # pixels of the product's colour


def test_the_shapes_are_those_of_the_categories() -> None:
    assert set(drawing.SHAPES) == {leaf.shape for leaf in words.LEAVES}


def test_every_product_gets_a_picture() -> None:
    demo("--products", "3")
    assert ProductImage.objects.count() == 3

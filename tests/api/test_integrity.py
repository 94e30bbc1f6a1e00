"""A violated constraint of the database is a 4xx response, not a 500."""

from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models.signals import post_save
from rest_framework.test import APIClient

from productbackend.api import integrity
from products.models import Category, Product, ProductImage
from tests import factories

pytestmark = pytest.mark.django_db


def refused(*args: Any) -> tuple[str, Any]:
    error = integrity.to_domain_error(IntegrityError(*args))
    assert error is not None
    errors = error.extra.get("errors", [{"field": None, "code": None}])
    return error.code, (errors[0]["field"], errors[0]["code"])


@pytest.mark.parametrize(
    ("args", "field"),
    [
        ((1062, "Duplicate entry 'red' for key 'products_product.slug'"), "slug"),  # MySQL
        ((1062, "Duplicate entry 'red' for key 'slug'"), "slug"),  # MariaDB
        ((1062, "Duplicate entry '0:x' for key 'products_category.sibling_key'"), None),
        ((1062, "Duplicate entry '1-x' for key 'products_productimage.image_once'"), None),
        (("UNIQUE constraint failed: products_product.sku",), "sku"),
        (("UNIQUE constraint failed: orders_order.placed_by_id, orders_order.idempotency_key",), None),
    ],
)
def test_a_duplicate_value_is_a_400_that_names_its_field(args: Any, field: str | None) -> None:
    assert refused(*args) == ("validation-error", (field, "unique"))


def test_a_foreign_key_to_a_deleted_row_is_a_400_and_a_row_in_use_a_409() -> None:
    gone = "Cannot add or update a child row: ... CONSTRAINT `c` FOREIGN KEY (`category_id`) REFERENCES `x` (`id`))"
    assert refused(1452, gone) == ("validation-error", ("category", "does_not_exist"))
    assert refused(1451, "Cannot delete or update a parent row")[0] == "in-use"
    assert refused("FOREIGN KEY constraint failed")[0] == "in-use"


@pytest.mark.parametrize("args", [(1048, "Column 'name' cannot be null"), ("NOT NULL constraint failed: a.b",), ()])
def test_other_integrity_errors_are_not_translated(args: Any) -> None:
    assert integrity.to_domain_error(IntegrityError(*args)) is None


def test_the_databases_own_messages_are_parsed() -> None:
    product = factories.product()
    ProductImage.objects.create(product=product, original="a", sha256="a", width=1, height=1)
    for make, field in (
        (lambda: factories.product("Other", slug=product.slug), "slug"),
        (lambda: ProductImage.objects.create(product=product, original="b", sha256="a", width=1, height=1), None),
    ):
        with pytest.raises(IntegrityError) as raised, transaction.atomic():
            make()
        error = integrity.to_domain_error(raised.value)
        assert error is not None
        assert error.extra["errors"][0]["field"] == field


@pytest.mark.django_db(transaction=True)
def test_a_category_that_is_deleted_before_the_commit_is_a_400(staff: APIClient) -> None:
    def delete(instance: Product, **kwargs: Any) -> None:
        """By a raw statement, without the domain's check."""
        with connection.cursor() as cursor, transaction.atomic():
            cursor.execute("DELETE FROM products_category WHERE id = %s", [instance.category_id])

    category = factories.category()
    post_save.connect(delete, sender=Product)
    try:
        answer = staff.post("/products/", {"name": "Hat", "quantity": 1, "category": category.pk})
    finally:
        post_save.disconnect(delete, sender=Product)
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/in-use")
    assert Category.objects.exists()
    assert not Product.objects.exists()

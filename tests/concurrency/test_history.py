"""Concurrent changes of one product: each begins with the value that the one before it wrote."""

from functools import partial
from itertools import pairwise

from django.db import transaction

from backoffice.history.models import Change
from productbackend.database import recorded
from products import catalogue
from products.models import Product
from tests import factories
from tests.concurrently import run_concurrently


def breaks() -> list[tuple[str, str]]:
    """The recorded prices that do not begin where the one before them ended."""
    prices = [row.fields["price"] for row in Change.objects.order_by("pk") if "price" in row.fields]
    return [(before, after) for (_, before), (after, _) in pairwise(prices) if before != after]


def save_form(product_id: int, price: str) -> None:
    """As a form of the admin: the row is read without a lock."""
    with transaction.atomic():
        product = Product.objects.get(pk=product_id)
        product.price = price
        product.save()


def change(product_id: int, price: str) -> None:
    catalogue.change(product_id=product_id, user=None, precondition=lambda product: None, price=price)


def update(product_id: int, price: str) -> None:
    Product.objects.filter(pk=product_id).update(price=price)


def test_each_change_begins_with_the_value_of_the_one_before() -> None:
    product = factories.product()
    calls = [partial(way, product.pk, f"{n}.00") for n, way in enumerate([save_form, change, update] * 6)]
    assert run_concurrently(calls) == [None] * 18
    assert breaks() == []
    prices = [row.fields["price"] for row in Change.objects.order_by("pk") if "price" in row.fields]
    assert (len(prices), prices[-1][1]) == (19, f"{Product.objects.get().price:.2f}")


def test_control_a_row_that_was_watched_without_a_lock_is_found() -> None:
    product = factories.product()
    recorded.watch(product)
    update(product.pk, "5.00")
    product.price = "7.00"
    product.save()
    assert breaks() == [("5.00", "19.90")]

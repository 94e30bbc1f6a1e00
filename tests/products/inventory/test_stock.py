"""Quantities are changed through the ledger, and not by saving a product."""

import pytest
from rest_framework.test import APIClient

from products.models import Product, StockMovement
from tests import factories

pytestmark = pytest.mark.django_db


def test_each_change_of_quantity_is_in_the_ledger(staff: APIClient) -> None:
    product_id = staff.post("/products/", {"name": "Red shoe", "quantity": 3}).json()["id"]
    staff.patch(f"/products/{product_id}/", {"quantity": 10})
    staff.patch(f"/products/{product_id}/", {"description": "Red."})
    movements = list(StockMovement.objects.order_by("id").values_list("delta", "reason"))
    assert movements == [(3, "initial"), (7, "correction")]


def test_saving_a_stale_product_does_not_undo_a_sale(customer: APIClient) -> None:
    product = factories.product(quantity=5)
    stale = Product.objects.get(pk=product.pk)
    customer.post("/cart-items/", {"product": product.pk, "quantity": 2})
    cart = customer.get("/carts/").json()["results"][0]
    assert customer.post(f"/carts/{cart['id']}/checkout/").status_code == 201
    stale.description = "As good as new."
    stale.save()
    assert Product.objects.get(pk=product.pk).quantity == 3

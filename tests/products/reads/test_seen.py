"""What counts as written since."""

import pytest

from products import catalogue
from products.inventory import stock
from products.models import Product
from products.reads import seen
from tests import factories

pytestmark = pytest.mark.django_db


def test_sales_and_their_return_are_no_writes_of_staff() -> None:
    factories.product(sku="A", quantity=10)
    product = Product.objects.get()
    before, last = {"A": seen.Seen.of(product)}, seen.last_movement()

    def written() -> set[str]:
        return seen.written_since(before, catalogue.lock_by_sku(["A"]), last)

    assert written() == set()
    stock.sell(wanted=[stock.StockRequest(product.pk, "A", 3)], order_number="X", user=None)
    stock.restock(quantities={product.pk: 3}, order_number="X", user=None)
    assert written() == set()
    stock.set_quantity(product_id=product.pk, quantity=9, user=None)
    assert written() == {"A"}
    last = seen.last_movement()
    assert written() == set()
    Product.objects.get().save()  # nothing differs
    assert written() == set()
    catalogue.change(product_id=product.pk, user=None, precondition=lambda _: None, slug="other")
    assert written() == {"A"}

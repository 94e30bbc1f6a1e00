"""Who may export what."""

import pytest
from django.contrib.auth.models import AnonymousUser

from backoffice.permissions import may_export
from orders.models import Order
from products.models import Product
from tests import factories
from tests.backoffice.people import member

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("permissions", "products", "orders"),
    [
        ([], False, False),
        (["products.view_product"], True, False),
        (["products.change_product"], True, False),
        (["products.add_product"], False, False),
        (["orders.view_order"], False, True),
        (["orders.export_order"], False, True),
        (["payments.view_payment"], False, False),
    ],
)
def test_staff_export_what_they_may_see(permissions: list[str], products: bool, orders: bool) -> None:
    user = member(*permissions)
    assert (may_export(user, Product), may_export(user, Order)) == (products, orders)


def test_customers_export_nothing() -> None:
    user = member("orders.export_order", "products.view_product")
    user.is_staff = False
    for each in (user, factories.user("carla"), AnonymousUser()):
        assert not may_export(each, Order)
        assert not may_export(each, Product)

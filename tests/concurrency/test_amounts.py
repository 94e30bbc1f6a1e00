"""Staff change price, method and rate while 32 clients check out: nobody pays a total that they did not see."""

import time
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple

import pytest
from rest_framework.test import APIClient

from carts import views
from carts.models import Cart
from delivery.models import DeliveryMethod
from orders.models import Order
from products.models import Product
from taxes.models import TaxRate
from tests import factories
from tests.concurrency.racing import GAP, carts
from tests.concurrently import run_concurrently
from tests.signing_in import without_token

BUYERS, CHANGES = 32, 40
TRIES = 200  # more than there are changes that can refuse a buyer


class Bought(NamedTuple):
    """A client's order: the total that it saw, the total of the order, and how often it was refused before."""

    seen: str
    paid: str
    refusals: int


@pytest.fixture(autouse=True)
def net_prices(settings: Any, rate: Callable[..., None]) -> None:
    """Tax is added: each change of a price or a rate changes the total."""
    settings.PRICES_INCLUDE_TAX = False
    rate("checkout", "100000/hour")


def buy(cart: Cart) -> Bought:
    """Read the cart, and check it out with its ETag; after a 412 once more."""
    client, path = without_token(cart.user), f"/carts/{cart.pk}/"
    for refusals in range(TRIES):
        seen = client.get(path)
        time.sleep(GAP)  # for staff
        response = client.post(f"{path}checkout/", headers={"If-Match": seen["ETag"]})
        if response.status_code == 201:
            return Bought(seen.json()["amounts"]["total"], response.json()["amounts"]["total"], refusals)
        assert response.status_code == 412, response.content
    raise AssertionError("refused too often")


def change(staff: APIClient, product: Product) -> None:
    """Change the price, the method and the rate in turn, each time to a value of its own."""
    for number in range(CHANGES):
        response = staff.patch(f"/products/{product.pk}/", {"price": f"{10 + number}.00"})
        assert response.status_code == 200
        time.sleep(GAP)
        DeliveryMethod.objects.update(price=Decimal(100 + number))
        time.sleep(GAP)
        TaxRate.objects.update(rate=Decimal(1 + number) / 10)
        time.sleep(GAP)


def buy_while_staff_change() -> list[Bought]:
    product = factories.product(price="9.00", quantity=1_000)
    factories.delivery_method("parcel")
    factories.tax_rate("20", "DE")
    staff = without_token(factories.user("stella", is_staff=True, is_superuser=True))
    filled = carts(BUYERS, (product, 1))
    Cart.objects.update(delivery_method="parcel", shipping_name="Carla", shipping_country="DE")
    calls: list[Callable[[], Any]] = [partial(buy, cart) for cart in filled]
    *bought, failure = run_concurrently([*calls, partial(change, staff, product)])
    assert failure is None
    assert [type(each) for each in bought] == [Bought] * BUYERS
    return bought


def test_each_client_pays_the_total_that_it_saw() -> None:
    bought = buy_while_staff_change()
    assert [(each.seen, each.paid) for each in bought if each.seen != each.paid] == []
    assert sum(each.refusals for each in bought) > 0
    assert sorted(str(order.total) for order in Order.objects.all()) == sorted(each.paid for each in bought)
    for order in Order.objects.all():
        assert (order.total, order.tax) == (order.amounts.total, order.amounts.tax)


def test_control_without_the_comparison_some_pay_another_total(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "if_match_precondition", lambda request: lambda cart: None)
    assert [each for each in buy_while_staff_change() if each.seen != each.paid] != []

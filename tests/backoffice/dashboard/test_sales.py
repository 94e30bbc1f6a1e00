"""What counts as sales, over every path that an order and its money can take."""

from decimal import Decimal
from typing import Any

import pytest

from backoffice.dashboard import sales
from orders.models import Order
from payments import ledger
from productbackend.site.days import Days, today
from tests.payments.books import Books
from tests.payments.conftest import books as books
from tests.payments.shop import every_path

pytestmark = pytest.mark.django_db


def test_revenue_is_the_money_of_paid_and_fulfilled_orders(books: Books, settings: Any) -> None:
    shop = every_path(books, settings)
    Order.objects.filter(pk=shop.orders["paid"].pk).update(status="fulfilled")
    balances = {name: ledger.order_balance(order.pk) for name, order in shop.orders.items()}
    status = dict(Order.objects.values_list("pk", "status"))
    sold = [name for name, order in shop.orders.items() if status[order.pk] in ("paid", "fulfilled")]
    assert {"cancelled", "expired", "pending", "part", "too late"}.isdisjoint(sold)
    assert {"twice", "refunded", "came back", "restocked", "paid"} <= set(sold)
    # Paid twice, the second payment went back: the order's revenue is its total.
    assert balances["twice"].captured == 2 * balances["twice"].refunded == 2 * shop.orders["twice"].total
    money = sum(
        (
            shop.orders[name].total if name == "without payments" else balance.captured - balance.refunded
            for name, balance in balances.items()
            if name in sold
        ),
        Decimal(0),
    )
    days = Days(today(), today())
    # One piece each; that of the order "restocked" is in stock again.
    found, pieces = sales.figures_and_pieces(sales.sold(days))
    assert found == sales.Figures(len(sold), money, len(sold) - 1)
    assert sum(pieces.values()) == len(sold) - 1
    Order.objects.update(currency="CHF")
    assert sales.figures(sales.sold(days)) == sales.Figures()

"""Columns of the admin's lists: badges of a status, and amounts with their currency."""

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client

from productbackend.site.columns import GOOD, amount, badge, status_badge
from tests.site.pages import create_rows, url


def test_a_badge_has_the_words_of_the_choice_and_the_tone_of_the_value() -> None:
    column = status_badge({"paid": GOOD})
    row = SimpleNamespace(status="paid", get_status_display=lambda: "Paid <b>")
    assert column(row) == '<span class="badge good">Paid &lt;b&gt;</span>'
    assert 'class="badge plain"' in column(SimpleNamespace(status="odd", get_status_display=lambda: "Odd"))
    assert badge("New", GOOD) == '<span class="badge good">New</span>'


def test_an_amount_has_the_currency_of_its_row_or_of_the_shop(settings: Any) -> None:
    settings.CURRENCY = "CHF"
    row = SimpleNamespace(total=Decimal("1234.5"), order=SimpleNamespace(currency="EUR"), free_from=None)
    assert amount("total", "order.currency")(row) == "1,234.50 EUR"
    assert amount("total")(row) == "1,234.50 CHF"
    assert amount("free_from")(row) == "–"


@pytest.mark.django_db
def test_the_list_of_orders_has_both_and_is_sorted_by_the_amount(admin_client: Client) -> None:
    create_rows(1)
    page = admin_client.get(url("orders.order", "changelist") + "?o=-6").content.decode()
    assert '<span class="badge active">Paid</span>' in page
    assert 'class="field-total">' in page
    assert 'class="sortable column-total sorted descending"' in page


@pytest.mark.django_db
def test_a_filter_has_a_name_of_the_shop_and_shows_the_present_choice(admin_client: Client) -> None:
    products = url("products.product", "changelist")
    assert "<summary>Visible in the shop</summary>" in admin_client.get(products).content.decode()
    chosen = admin_client.get(f"{products}?is_active__exact=1").content.decode()
    assert "<summary>Visible in the shop: <strong>Yes</strong></summary>" in chosen
    assert "Clear all filters" in chosen
    methods = admin_client.get(url("delivery.deliverymethod", "changelist")).content.decode()
    assert "<summary>Offered in the shop</summary>" in methods

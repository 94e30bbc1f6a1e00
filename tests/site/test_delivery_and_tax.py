"""Delivery methods and tax rates in the admin."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from delivery.models import DeliveryMethod
from taxes import rates
from taxes.models import TaxRate
from tests import factories
from tests.site.pages import url

pytestmark = pytest.mark.django_db

METHOD = {"name": "Parcel", "code": "parcel", "position": "0", "price": "4.90", "tax_class": "standard"}


def test_a_method_is_created_and_changed(admin_client: Client) -> None:
    page = url("delivery.deliverymethod", "add")
    data: dict[str, Any] = METHOD | {"is_active": "on", "countries": ["DE", "AT"], "free_from": "50"}
    assert admin_client.post(page, data).status_code == 302
    method = DeliveryMethod.objects.get()
    assert (method.code, method.countries, f"{method.free_from}", method.needs_address) == (
        "parcel",
        ["DE", "AT"],
        "50.00",
        False,
    )
    change = url("delivery.deliverymethod", "change", method.pk)
    assert '<option value="AT" selected>' in admin_client.get(change).content.decode()
    assert admin_client.post(change, METHOD | {"countries": ["CH", "CH"]}).status_code == 302
    assert DeliveryMethod.objects.get().countries == ["CH"]
    assert "parcel" in admin_client.get(url("delivery.deliverymethod", "changelist")).content.decode()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"min_amount": "10.01", "max_amount": "10.00"}, "It is above max_amount, which is 10.00."),
        ({"code": "taken"}, "already exists"),
        ({"countries": ["XX"]}, "Select a valid choice"),
        ({"price": "-1"}, "greater than or equal to 0"),
    ],
)
def test_an_invalid_method_is_an_error_of_its_field(admin_client: Client, changes: dict[str, Any], said: str) -> None:
    factories.delivery_method("taken")
    answer = admin_client.post(url("delivery.deliverymethod", "add"), METHOD | changes)
    assert (answer.status_code, DeliveryMethod.objects.count()) == (200, 1)
    assert said in answer.content.decode()


def table_of(page: str, method: str) -> list[list[str]]:
    """The rows of a method's table, each with its cells."""
    [part] = [part for part in page.split('<div class="module">')[1:] if f">{method}</a>" in part]
    rows = re.findall(r"<tr>(.*?)</tr>", part, re.DOTALL)
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in rows]


def test_the_page_of_prices_shows_each_method_by_country(admin_client: Client, settings: Any) -> None:
    settings.SHOP_COUNTRY = "DE"
    factories.delivery_method(free_from="50.00", countries=["DE", "AT"])
    factories.delivery_method("courier", price="19.00", min_amount="50.00", max_amount="199.99", is_active=False)
    assert url("delivery.deliverymethod", "changelist") + "prices/" == "/admin/delivery/deliverymethod/prices/"
    page = admin_client.get("/admin/delivery/deliverymethod/prices/").content.decode()
    assert table_of(page, "Parcel") == [
        ["Country", "10.00", "50.00", "200.00"],
        ["Austria", "4.90", "0.00", "0.00"],
        ["Germany", "4.90", "0.00", "0.00"],
        ["Any other country", *["not in this country"] * 3],
    ]
    # An inactive method shows what it will cost.
    assert table_of(page, "Courier")[1:] == [
        [country, "19.00", "19.00", "19.00"] for country in ("Austria", "Germany", "Any other country")
    ]
    DeliveryMethod.objects.update(is_active=True)
    page = admin_client.get("/admin/delivery/deliverymethod/prices/").content.decode()
    assert table_of(page, "Courier")[1] == ["Austria", "amount too low", "19.00", "amount too high"]
    assert "deliverymethod/prices/" in admin_client.get(url("delivery.deliverymethod", "changelist")).content.decode()


def test_the_page_of_prices_needs_the_permission_to_view(client: Client) -> None:
    petra = factories.user("petra", is_staff=True)
    client.force_login(petra)
    path = "/admin/delivery/deliverymethod/prices/"
    assert client.get(path).status_code == 403
    petra.user_permissions.set(Permission.objects.filter(codename="view_deliverymethod"))
    assert "There are no delivery methods." in client.get(path).content.decode()


def test_rates_are_listed_by_country_with_their_first_day(admin_client: Client) -> None:
    page = url("taxes.taxrate", "add")
    assert f'value="{rates.today()}"' in admin_client.get(page).content.decode()
    data = {"country": "DE", "tax_class": "standard", "rate": "19", "valid_from": "2020-01-01"}
    assert admin_client.post(page, data).status_code == 302
    assert "already" in admin_client.post(page, data).content.decode()
    assert "Select a valid choice" in admin_client.post(page, data | {"country": "XX"}).content.decode()
    assert admin_client.post(page, data | {"rate": "16", "valid_from": "2019-01-01"}).status_code == 302
    assert admin_client.post(page, data | {"country": "AT", "rate": "20"}).status_code == 302
    assert TaxRate.objects.count() == 3
    text = admin_client.get(url("taxes.taxrate", "changelist")).content.decode()
    rows = re.findall(r'field-country_name">.*?>([^<]+)</a>.*?>([\d.]+ %)<.*?field-begins">(.*?)<.*?alt="(\w+)"', text)
    assert rows == [
        ("Austria (AT)", "20 %", "2020-01-01", "True"),
        ("Germany (DE)", "19 %", "2020-01-01", "True"),
        ("Germany (DE)", "16 %", "2019-01-01", "False"),
    ]

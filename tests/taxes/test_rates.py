"""Tax rates: over HTTP, and which are in force."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from productbackend.errors import InvalidValue
from taxes import rates
from taxes.models import TaxRate
from tests import factories
from tests.buying import fill_cart
from tests.signing_in import without_token

pytestmark = pytest.mark.django_db

PATH = "/tax-rates/"


def errors(response: Any) -> list[tuple[str, str]]:
    assert response.status_code == 400, response.content
    return [(error["field"], error["code"]) for error in response.json()["errors"]]


def test_a_rate_begins_today_in_the_shops_zone_unless_it_says_otherwise(staff: APIClient, settings: Any) -> None:
    settings.SHOP_TIME_ZONE = "Pacific/Auckland"
    tomorrow = rates.today() + timedelta(days=1)
    with time_machine.travel("2026-03-01T11:30:00Z", tick=False):  # the second of March in Auckland
        created = without_token(factories.account("stella")).post(PATH, {"country": "NZ", "rate": "15"})
    assert created.status_code == 201
    body = created.json()
    assert created["Location"].endswith(f"{PATH}{body['id']}/")
    assert body == {
        "id": body["id"],
        "country": "NZ",
        "tax_class": "standard",
        "rate": "15",
        "valid_from": "2026-03-02",
    }
    read = staff.get(created["Location"])
    assert (read.json(), read["ETag"]) == (body, created["ETag"])
    assert read["Cache-Control"] == "private, no-cache"
    later = staff.post(PATH, {"country": "NZ", "rate": "15.5", "valid_from": f"{tomorrow}"})
    assert later.json()["valid_from"] == f"{tomorrow}"


@pytest.mark.parametrize(
    ("sent", "shown"),
    [("19", "19"), ("5.5000", "5.5"), ("8.3125", "8.3125"), (0, "0"), ("100", "100"), (7.7, "7.7"), ("10", "10")],
)
def test_a_rate_has_up_to_four_decimals(staff: APIClient, sent: Any, shown: str) -> None:
    assert staff.post(PATH, {"country": "DE", "rate": sent}).json()["rate"] == shown
    assert staff.get(PATH).json()["results"][0]["rate"] == shown


@pytest.mark.parametrize(
    ("fields", "field", "code"),
    [
        ({"country": None}, "country", "null"),
        ({"country": "de"}, "country", "invalid_choice"),
        ({"country": "XX"}, "country", "invalid_choice"),
        ({"country": "DE "}, "country", "invalid_choice"),
        ({"country": ["DE"]}, "country", "invalid"),
        ({"rate": "19.12345"}, "rate", "max_decimal_places"),
        ({"rate": "100.0001"}, "rate", "max_value"),
        ({"rate": "-0.1"}, "rate", "min_value"),
        ({"rate": "1e1"}, "rate", "invalid"),
        ({"rate": "NaN"}, "rate", "invalid"),
        ({"rate": "١٩"}, "rate", "invalid"),
        ({"rate": True}, "rate", "invalid"),
        ({"tax_class": ""}, "tax_class", "blank"),
        ({"tax_class": "c" * 51}, "tax_class", "max_length"),
        ({"valid_from": "2026-02-30"}, "valid_from", "invalid"),
        ({"valid_from": "2026-1-1"}, "valid_from", "invalid"),
        ({"valid_from": "2026-01-01T00:00:00Z"}, "valid_from", "invalid"),
        ({"valid_from": 20260101}, "valid_from", "invalid"),
        ({"valid_from": None}, "valid_from", "null"),
    ],
)
def test_an_invalid_value_is_reported_with_its_field(
    staff: APIClient, fields: dict[str, Any], field: str, code: str
) -> None:
    assert errors(staff.post(PATH, {"country": "DE", "rate": "19"} | fields)) == [(field, code)]
    assert not TaxRate.objects.exists()


def test_country_and_rate_are_required(staff: APIClient) -> None:
    assert errors(staff.post(PATH, {})) == [("country", "required"), ("rate", "required")]


def test_put_does_not_change_what_it_omits(staff: APIClient) -> None:
    rate = factories.tax_rate("7", tax_class="reduced", valid_from=date(2021, 1, 1))
    response = staff.put(f"{PATH}{rate.pk}/", {"country": "AT", "rate": "10"})
    expected = {"id": rate.pk, "country": "AT", "tax_class": "reduced", "rate": "10", "valid_from": "2021-01-01"}
    assert (response.status_code, response.json()) == (200, expected)
    assert errors(staff.put(f"{PATH}{rate.pk}/", {"rate": "10"})) == [("country", "required")]
    assert staff.patch(f"{PATH}{rate.pk}/", {"rate": "11"}).json() == expected | {"rate": "11"}
    assert staff.delete(f"{PATH}{rate.pk}/").status_code == 204
    assert staff.patch(f"{PATH}{rate.pk}/", {"rate": "11"}).status_code == 404


def test_a_class_has_one_rate_from_a_day_on(staff: APIClient) -> None:
    rate = {"country": "DE", "rate": "19", "valid_from": "2026-01-01"}
    assert staff.post(PATH, rate).status_code == 201
    assert errors(staff.post(PATH, rate | {"rate": "20"})) == [("valid_from", "unique")]
    other = staff.post(PATH, rate | {"tax_class": "reduced"})
    assert staff.post(PATH, rate | {"country": "AT"}).status_code == 201
    assert errors(staff.patch(f"{PATH}{other.json()['id']}/", {"tax_class": "standard"})) == [("valid_from", "unique")]
    with pytest.raises(InvalidValue):
        rates.create(country="DE", rate=Decimal(19), valid_from=date(2026, 1, 1))


def listed(staff: APIClient, query: str = "") -> list[str]:
    response = staff.get(f"{PATH}{query}")
    assert response.status_code == 200, response.content
    return ["{country} {tax_class} {valid_from}".format(**row) for row in response.json()["results"]]


def test_the_list_is_ordered_and_filtered(staff: APIClient) -> None:
    for country, tax_class, year in (("DE", "standard", 2020), ("AT", "standard", 2021), ("DE", "reduced", 2020)):
        factories.tax_rate(country=country, tax_class=tax_class, valid_from=date(year, 1, 1))
    factories.tax_rate(valid_from=date(2019, 1, 1))
    whole = listed(staff)
    assert whole == [
        "AT standard 2021-01-01",
        "DE reduced 2020-01-01",
        "DE standard 2019-01-01",
        "DE standard 2020-01-01",
    ]
    assert listed(staff, "?country=DE&tax_class=standard") == whole[2:]
    assert listed(staff, "?country=FR") == []
    assert listed(staff, "?ordering=-valid_from,country")[0] == whole[0]
    page, found = staff.get(f"{PATH}?limit=1").json(), []
    while True:
        found += [row["id"] for row in page["results"]]
        if page["next"] is None:
            break
        page = staff.get(page["next"]).json()
    assert found == [row["id"] for row in staff.get(PATH).json()["results"]]
    assert errors(staff.get(f"{PATH}?country=Germany")) == [("country", "invalid_choice")]
    assert errors(staff.get(f"{PATH}?ordering=rate")) == [("ordering", "invalid_choice")]
    assert errors(staff.get(f"{PATH}?class=standard")) == [("class", "unknown_parameter")]
    tag = staff.get(PATH)["ETag"]
    assert staff.get(PATH, headers={"If-None-Match": tag}).status_code == 304


def test_only_staff_with_the_permission_see_rates(api: APIClient, customer: APIClient) -> None:
    path = f"{PATH}{factories.tax_rate().pk}/"
    without = without_token(factories.user("pia", is_staff=True))
    for client, status in ((api, 401), (customer, 403), (without, 403)):
        for method in ("get", "put", "patch", "delete"):
            assert getattr(client, method)(path).status_code == status
        assert (client.get(PATH).status_code, client.post(PATH, {}).status_code) == (status, status)


def test_the_latest_rate_that_has_begun_is_in_force() -> None:
    today = rates.today()
    for days, rate in ((-10, "16"), (-1, "19"), (1, "20")):
        factories.tax_rate(rate, valid_from=today + timedelta(days=days))
    factories.tax_rate("7", tax_class="reduced", valid_from=today)
    factories.tax_rate("10", "AT", valid_from=today + timedelta(days=1))
    assert rates.rates_in({"DE", "AT", "FR"}) == {"DE": {"standard": Decimal(19), "reduced": Decimal(7)}}
    current = TaxRate.objects.filter(rates.in_force()).order_by("rate")
    assert [rate.rate for rate in current] == [Decimal(7), Decimal(19)]


@pytest.mark.parametrize(
    ("first_day", "midnight"),
    [
        ("2026-03-29", "2026-03-28T23:00:00Z"),  # the clocks go forward in this night, after midnight
        ("2026-03-30", "2026-03-29T22:00:00Z"),
        ("2026-10-25", "2026-10-24T22:00:00Z"),  # the clocks go back in this night, after midnight
        ("2026-10-26", "2026-10-25T23:00:00Z"),
    ],
)
def test_a_rate_begins_at_midnight_of_the_shops_zone_also_for_an_open_cart(
    settings: Any, first_day: str, midnight: str
) -> None:
    settings.SHOP_TIME_ZONE, settings.SHOP_COUNTRY = "Europe/Berlin", "DE"
    factories.tax_rate("19")
    factories.tax_rate("20", valid_from=date.fromisoformat(first_day))
    customer = without_token(factories.user("carla"))

    def tax() -> tuple[str, str]:
        cart = customer.get(path)
        assert cart.json()["amounts"]["total"] == "120.00"
        return cart.json()["amounts"]["tax"], cart["ETag"]

    with time_machine.travel(midnight, tick=False) as clock:
        clock.shift(timedelta(seconds=-1))
        path = f"/carts/{fill_cart(customer, (factories.product(price=Decimal('120.00')), 1))}/"
        before, tag = tax()
        assert before == "19.16"
        clock.shift(timedelta(seconds=1))
        assert tax()[0] == "20.00"
        assert customer.post(f"{path}checkout/", headers={"If-Match": tag}).status_code == 412
        order = customer.post(f"{path}checkout/", headers={"If-Match": tax()[1]}).json()
    assert order["tax_lines"] == [{"rate": "20", "net": "100.00", "tax": "20.00"}]
    assert [line["tax_rate"] for line in order["items"]] == ["20"]

"""The address book over HTTP."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import Address
from productbackend.database.postal_addresses import LENGTHS
from tests import factories
from tests.addresses import BERLIN, VIENNA, whole
from tests.guests import GuestClient

pytestmark = pytest.mark.django_db

PATH = "/account/addresses/"


def add(client: APIClient, address: dict[str, Any] = BERLIN, **more: Any) -> dict[str, Any]:
    response = client.post(PATH, {**address, **more})
    assert response.status_code == 201, response.content
    return response.json()


def errors(response: Any) -> list[tuple[str, str]]:
    assert response.status_code == 400, response.content
    return [(error["field"], error["code"]) for error in response.json()["errors"]]


def test_an_address_is_added_read_changed_and_deleted(customer: APIClient) -> None:
    created = customer.post(PATH, BERLIN)
    assert created.status_code == 201
    body = created.json()
    assert body == {"id": body["id"], **whole(BERLIN), "is_default": False}
    path = f"{PATH}{body['id']}/"
    assert created["Location"] == f"http://testserver{path}"
    assert (customer.get(path).json(), customer.get(path)["ETag"]) == (body, created["ETag"])
    changed = customer.patch(path, {"phone": "+49 30 1", "company": "Coe GmbH"})
    assert (changed.status_code, changed.json()) == (200, {**body, "phone": "+49 30 1", "company": "Coe GmbH"})
    assert customer.get(PATH).json()["results"] == [changed.json()]
    assert customer.delete(path).status_code == 204
    assert customer.get(path).status_code == 404
    assert customer.get(PATH).json() == {
        "count": 0, "count_is_exact": True, "next": None, "previous": None, "results": [],
    }  # fmt: skip


def test_a_put_keeps_omitted_optional_parts_and_asks_for_the_required_ones(customer: APIClient) -> None:
    body = add(customer, VIENNA, is_default=True, phone="1")
    path = f"{PATH}{body['id']}/"
    required = {"name": "Otto", "line1": "Gasse 1", "city": "Graz", "country": "AT"}
    assert customer.put(path, required).json() == {**body, **required}
    assert customer.put(path, {**required, "line2": ""}).json() == {**body, **required, "line2": ""}
    assert errors(customer.put(path, {"name": "Otto"})) == [
        ("line1", "required"),
        ("city", "required"),
        ("country", "required"),
    ]


def test_one_address_at_most_is_the_default(customer: APIClient, other_customer: APIClient) -> None:
    others = add(other_customer, is_default=True)
    first, second = add(customer, is_default=True), add(customer, VIENNA, is_default=True)

    def defaults() -> list[int]:
        return [row["id"] for row in customer.get(PATH).json()["results"] if row["is_default"]]

    assert defaults() == [second["id"]]
    tag = customer.get(f"{PATH}{second['id']}/")["ETag"]
    assert customer.patch(f"{PATH}{first['id']}/", {"is_default": True}).json()["is_default"] is True
    assert defaults() == [first["id"]]
    assert customer.patch(f"{PATH}{second['id']}/", {"city": "Graz"}, headers={"If-Match": tag}).status_code == 412
    assert customer.patch(f"{PATH}{first['id']}/", {"is_default": False}).status_code == 200
    assert defaults() == []
    assert other_customer.get(f"{PATH}{others['id']}/").json()["is_default"] is True


def test_an_address_is_its_users_alone(
    customer: APIClient, other_customer: APIClient, staff: APIClient, api: APIClient, guest: GuestClient
) -> None:
    path = f"{PATH}{add(customer)['id']}/"
    for stranger in (other_customer, staff):
        assert stranger.get(PATH).json()["count"] == 0
        assert stranger.get(path).status_code == 404
        assert stranger.patch(path, {"city": "Graz"}).status_code == 404
        assert stranger.put(path, BERLIN).status_code == 404
        assert stranger.delete(path).status_code == 404
    for nobody in (api, guest):
        assert nobody.get(PATH).status_code == 401
        assert nobody.post(PATH, BERLIN).status_code == 401
        assert nobody.get(path).status_code == 401
    assert customer.get(path).json()["city"] == "Berlin"


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"name": ""}, "name", "blank"),
        ({"line1": None}, "line1", "null"),
        ({"city": "x" * 201}, "city", "max_length"),
        ({"postal_code": "1" * 41}, "postal_code", "max_length"),
        ({"country": "de"}, "country", "invalid_choice"),
        ({"country": "XX"}, "country", "invalid_choice"),
        ({"phone": ["1"]}, "phone", "invalid"),
        ({"is_default": "yes"}, "is_default", "invalid"),
    ],
)
def test_what_is_refused(customer: APIClient, change: dict[str, Any], field: str, code: str) -> None:
    assert errors(customer.post(PATH, {**BERLIN, **change})) == [(field, code)]
    assert not Address.objects.exists()


@pytest.mark.parametrize("text", ["نور", "🏠", "דוד", "\u200fא", "O'Neil <b>", "ﷺ"])
def test_the_longest_texts_of_any_script_are_stored(customer: APIClient, text: str) -> None:
    longest = {part: (text * length)[:length] for part, length in LENGTHS.items() if part != "country"}
    body = add(customer, {**longest, "country": "EG"})
    stored = customer.get(f"{PATH}{body['id']}/").json()
    assert {part: stored[part] for part in longest} == longest


def test_nothing_is_refused_for_the_form_of_its_postal_code_or_telephone_number(customer: APIClient) -> None:
    body = add(customer, {**BERLIN, "postal_code": "- none -", "phone": "ask my neighbour"})
    assert (body["postal_code"], body["phone"]) == ("- none -", "ask my neighbour")


def test_the_list_is_paged(customer: APIClient) -> None:
    rows = [add(customer, {**BERLIN, "line1": str(number)}) for number in range(3)]
    first = customer.get(f"{PATH}?limit=2&ordering=-id").json()
    assert first["results"] == [rows[2], rows[1]]
    assert customer.get(first["next"]).json()["results"] == [rows[0]]
    assert errors(customer.get(f"{PATH}?ordering=city")) == [("ordering", "invalid_choice")]
    assert errors(customer.get(f"{PATH}?city=Berlin")) == [("city", "unknown_parameter")]
    tag = customer.get(PATH)["ETag"]
    assert customer.get(PATH, headers={"If-None-Match": tag}).status_code == 304


def test_the_book_of_a_closed_account_is_deleted(customer: APIClient) -> None:
    add(customer)
    assert customer.delete("/account/", {"password": factories.PASSWORD}).status_code == 204
    assert not Address.objects.exists()

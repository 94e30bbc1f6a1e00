"""The limits of an address book, which hold for whoever writes it."""

from functools import partial

import pytest

from accounts import address_book
from accounts.address_book import ADDRESSES_MAX
from accounts.models import Address, User
from productbackend.database.postal_addresses import PostalAddress
from productbackend.errors import DomainError, InvalidValue
from tests import factories
from tests.signing_in import client_of

pytestmark = pytest.mark.django_db

HOME = PostalAddress(name="Carla Coe", line1="Hauptstraße 1", city="Berlin", country="DE")


@pytest.fixture
def carla() -> User:
    return factories.user("carla")


def test_a_book_has_at_most_100_addresses(carla: User) -> None:
    Address.objects.bulk_create(Address(user=carla, name="Carla", country="DE") for _ in range(ADDRESSES_MAX - 1))
    last = address_book.add(user=carla, address=HOME)
    client, body = client_of(carla), {"name": "C", "line1": "1", "city": "Berlin", "country": "DE"}
    refused = client.post("/account/addresses/", body)
    assert refused.status_code == 400
    assert [(error["field"], error["code"]) for error in refused.json()["errors"]] == [(None, "max_addresses")]
    assert "100" in refused.json()["detail"]
    assert address_book.add(user=factories.user("otto"), address=HOME).pk
    address_book.delete(user=carla, address_id=last.pk)
    assert client.post("/account/addresses/", body).status_code == 201


def test_addresses_are_found_in_the_users_own_book(carla: User) -> None:
    own, others = (address_book.add(user=user, address=HOME).pk for user in (carla, factories.user("otto")))
    assert address_book.find_addresses(user_id=carla.pk, ids={own, others, 10**18}) == {own: HOME}
    assert address_book.find_addresses(user_id=None, ids={own}) == {}


def test_a_change_of_a_missing_address_is_not_found_and_one_of_a_closed_account_not_authenticated(carla: User) -> None:
    row = address_book.add(user=carla, address=HOME)
    row.delete()
    with pytest.raises(DomainError) as missing:
        address_book.change(user=carla, address_id=10**6, city="Graz")
    assert missing.value.code == "not-found"
    User.objects.all().delete()
    with pytest.raises(DomainError) as closed:
        address_book.add(user=carla, address=HOME)
    assert closed.value.code == "not-authenticated"


def test_nobody_writes_an_address_of_another_user(carla: User) -> None:
    """Also if a caller has not looked whose it is."""
    row = address_book.add(user=factories.user("otto"), address=HOME)
    for write in (partial(address_book.change, city="Graz"), address_book.delete):
        with pytest.raises(DomainError) as refused:
            write(user=carla, address_id=row.pk)
        assert refused.value.code == "not-found"
    row.refresh_from_db()
    assert row.postal_address == HOME


def test_a_refusing_precondition_changes_nothing(carla: User) -> None:
    row = address_book.add(user=carla, address=HOME, is_default=True)

    def refuse(address: Address) -> None:
        assert address.is_default
        raise InvalidValue("city", "refused", "No.")

    with pytest.raises(InvalidValue):
        address_book.change(user=carla, address_id=row.pk, precondition=refuse, city="Graz")
    with pytest.raises(InvalidValue):
        address_book.delete(user=carla, address_id=row.pk, precondition=refuse)
    assert Address.objects.get().postal_address == HOME

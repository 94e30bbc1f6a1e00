"""Concurrent writes of one address book: at most 100 addresses, and one default."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from accounts import address_book
from accounts.address_book import ADDRESSES_MAX
from accounts.models import Address, User
from productbackend.database.postal_addresses import PostalAddress
from productbackend.errors import InvalidValue
from tests import factories
from tests.concurrency.racing import Meanwhile
from tests.concurrently import outcome, run_concurrently

HOME = PostalAddress(name="Carla Coe", line1="Hauptstraße 1", city="Berlin", country="DE")


def book_of(size: int) -> User:
    user = factories.user("carla")
    Address.objects.bulk_create(Address(user=user, name="Carla", country="DE") for _ in range(size))
    return user


def add_two(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Two additions to a book of 99; the second one begins between the count and the insert of the first."""
    user = book_of(ADDRESSES_MAX - 1)
    add: Callable[[], Any] = partial(address_book.add, user=user, address=HOME)
    adding = Meanwhile(add)
    monkeypatch.setattr(Address, "save", adding.before(Address.save))
    return [outcome(add), adding.outcome]


def test_two_additions_do_not_exceed_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [type(each) for each in add_two(monkeypatch)] == [Address, InvalidValue]
    assert Address.objects.count() == ADDRESSES_MAX


def test_control_without_the_lock_they_exceed_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address_book, "locked_user", lambda user: user)
    assert [type(each) for each in add_two(monkeypatch)] == [Address, Address]
    assert Address.objects.count() == ADDRESSES_MAX + 1


def test_of_16_new_defaults_one_is_the_default() -> None:
    user = book_of(8)
    changes = [
        partial(address_book.change, user=user, address_id=row.pk, is_default=True) for row in Address.objects.all()
    ]
    additions = [partial(address_book.add, user=user, address=HOME, is_default=True)] * 8
    outcomes = run_concurrently([*changes, *additions])
    assert {type(each) for each in outcomes} == {Address}
    assert Address.objects.filter(is_default=True).count() == 1
    assert Address.objects.count() == 16

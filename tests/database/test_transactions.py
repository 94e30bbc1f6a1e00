"""Retries of writes: deadlocks are retried, lock waits are not, and nothing is committed after the time limit."""

import sqlite3
from typing import Any

import pytest
from django.db import OperationalError, connection
from rest_framework.test import APIClient

from accounts.models import User
from productbackend.database import transactions
from productbackend.database.transactions import atomic_with_retry, in_slices
from productbackend.errors import DomainError
from tests import factories


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("code", "calls"), [(1213, transactions.ATTEMPTS), (1205, 1), ("database is locked", 1)])
def test_only_a_deadlock_is_retried(monkeypatch: pytest.MonkeyPatch, code: Any, calls: int) -> None:
    monkeypatch.setattr(transactions.time, "sleep", lambda seconds: None)
    called: list[User] = []

    @atomic_with_retry
    def write() -> None:
        called.append(factories.user(f"buyer{len(called)}"))
        raise OperationalError(code, "no lock")

    with pytest.raises(OperationalError):
        write()
    assert len(called) == calls
    assert not User.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_nothing_is_committed_after_the_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transactions, "TIME_LIMIT", -1.0)
    with pytest.raises(DomainError) as refused:
        atomic_with_retry(factories.user)()
    assert refused.value.code == "unavailable"
    assert not User.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_no_attempt_begins_after_the_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transactions, "TIME_LIMIT", -1.0)
    called = []

    @atomic_with_retry
    def write() -> None:
        called.append(1)
        raise OperationalError(1213, "Deadlock found")

    with pytest.raises(OperationalError):
        write()
    assert called == [1]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="MySQL has locks of rows: tests/concurrency")
@pytest.mark.django_db(transaction=True)
def test_a_busy_sqlite_is_a_503_with_retry_after(customer: APIClient) -> None:
    product = factories.product()
    connection.cursor().execute("PRAGMA busy_timeout = 50")
    writer = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
    try:
        writer.execute("BEGIN IMMEDIATE")
        answer = customer.post("/cart-items/", {"product": product.pk, "quantity": 1})
    finally:
        writer.close()
        connection.close()
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/unavailable")
    assert int(answer["Retry-After"]) > 0


@pytest.mark.skipif(connection.vendor != "mysql", reason="SQLite has no locks of rows")
@pytest.mark.django_db
def test_a_request_waits_five_seconds_for_a_lock() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT @@SESSION.innodb_lock_wait_timeout")
        assert cursor.fetchone() == (5,)


@pytest.mark.django_db
def test_in_slices_yields_all_rows_in_order() -> None:
    for number in range(5):
        factories.product(f"Shoe {number}")
    model = factories.Product
    taken = [list(each.values_list("pk", flat=True)) for each in in_slices(model.objects.all(), 2)]
    keys = sorted(model.objects.values_list("pk", flat=True))
    assert taken == [keys[:2], keys[2:4], keys[4:]]

"""While the database or the disk is full or read-only, writes are a 503 and reads work."""

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import InternalError, OperationalError, connection
from rest_framework.test import APIClient

from products.models import Category
from tests import factories


def check_unavailable(answer: Any) -> None:
    assert answer.status_code == 503, answer.content
    assert answer.json()["type"] == "/problems/unavailable"
    assert int(answer["Retry-After"]) > 0


def pragma(text: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA {text}")
        row = cursor.fetchone()
    return int(row[0]) if row else 0


@contextmanager
def full() -> Iterator[None]:
    """SQLite may not allocate another page: SQLITE_FULL, as on a full disk."""
    pragma(f"max_page_count={pragma('page_count')}")
    try:
        yield
    finally:
        pragma("max_page_count=1073741823")


@contextmanager
def read_only() -> Iterator[None]:
    """SQLITE_READONLY."""
    pragma("query_only=1")
    try:
        yield
    finally:
        pragma("query_only=0")


@pytest.mark.embedded
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("state", [full, read_only])
def test_reads_work_while_sqlite_refuses_writes(staff: APIClient, api: APIClient, state: Callable[[], Any]) -> None:
    product = factories.product()
    with state():
        for _ in range(20):  # until the free pages are used
            answer = staff.post(
                "/products/", {"name": "Shoe", "price": "1.00", "quantity": 1, "description": "x" * 9_000}
            )
            if answer.status_code != 201:
                break
        check_unavailable(answer)
        assert "takes no writes" in answer.json()["detail"]
        for path in ("/products/", f"/products/{product.pk}/", "/categories/"):
            assert api.get(path).status_code == 200
        assert staff.get("/orders/").status_code == 200
    assert staff.post("/products/", {"name": "Boot", "price": "1.00", "quantity": 1}).status_code == 201


@pytest.mark.django_db
@pytest.mark.parametrize(
    "error",
    [
        OperationalError(1021, "Disk full (/tmp/#sql_1_0.MAI); waiting for someone to free some space..."),
        OperationalError(1114, "The table 'products_category' is full"),
        OperationalError(1290, "The MySQL server is running with the --read-only option"),
        OperationalError(1836, "Running in read-only mode"),
        OperationalError(1030, "Got error 28 - 'No space left on device' from storage engine"),
        OperationalError(1026, "Error writing file './shop/x.ibd' (errno: 28 - No space left on device)"),
        InternalError(3, "Error writing file '/tmp/MYfd=1' (OS errno 28 - No space left on device)"),
        OperationalError("database or disk is full"),
        OperationalError("attempt to write a readonly database"),
        OperationalError("disk I/O error"),
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        OSError(errno.EROFS, "Read-only file system"),
    ],
    ids=str,
)
def test_a_full_or_read_only_database_is_a_503(staff: APIClient, monkeypatch: Any, error: Exception) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise error

    monkeypatch.setattr(Category, "save", refuse)
    check_unavailable(staff.post("/categories/", {"name": "Shoes"}))


@pytest.mark.django_db
@pytest.mark.parametrize("error", [OperationalError(1054, "Unknown column"), OSError(errno.EACCES, "Denied")], ids=str)
def test_another_error_is_a_500(staff: APIClient, monkeypatch: Any, error: Exception) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise error

    monkeypatch.setattr(Category, "save", refuse)
    assert staff.post("/categories/", {"name": "Shoes"}).status_code == 500

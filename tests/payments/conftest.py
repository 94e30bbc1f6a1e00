"""Fixtures of a shop that takes payments by the books in memory."""

from collections.abc import Iterator
from typing import Any

import pytest

from payments import providers
from tests.payments import books as module
from tests.payments.books import Books


@pytest.fixture
def books(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[Books]:
    """New books, as the provider `books` by which the shop is paid."""
    monkeypatch.setattr(module, "BOOKS", Books())
    monkeypatch.setitem(providers.MODULES, "books", module.__name__)
    settings.PAYMENT_METHODS = ["books"]
    providers.provider.cache_clear()
    yield module.BOOKS
    providers.provider.cache_clear()

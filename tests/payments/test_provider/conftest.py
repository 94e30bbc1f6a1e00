"""A provider for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.payments.test_provider.running import Running, Shop


@pytest.fixture
def shop() -> Iterator[Shop]:
    shop = Shop()
    yield shop
    shop.close()


@pytest.fixture
def provider(tmp_path: Path, shop: Shop) -> Iterator[Running]:
    provider = Running(tmp_path, shop).start()
    yield provider
    provider.stop()

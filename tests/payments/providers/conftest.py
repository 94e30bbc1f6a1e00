"""Stripe's client with a stand-in server."""

from collections.abc import Iterator
from typing import Any

import pytest

from payments.providers.base import Started
from payments.providers.stripe import Stripe, create
from tests.payments.stripe_server import ATTEMPT, KEY, WEBHOOK, Books, running


@pytest.fixture
def stripe_books(settings: Any) -> Iterator[Books]:
    settings.STRIPE_SECRET_KEY = KEY
    settings.STRIPE_WEBHOOK_SECRETS = [WEBHOOK]
    with running() as (settings.STRIPE_API_BASE, stripe_books):
        yield stripe_books


@pytest.fixture
def provider(stripe_books: Books) -> Stripe:
    return create()


@pytest.fixture
def started(provider: Stripe) -> Started:
    return provider.start(ATTEMPT)

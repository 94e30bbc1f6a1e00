"""Fixtures of the home page."""

from typing import Any

import pytest
from django.test import Client

from tests import factories
from tests.backoffice.dashboard.selling import BERLIN


@pytest.fixture
def in_berlin(settings: Any) -> None:
    settings.SHOP_TIME_ZONE = BERLIN


@pytest.fixture
def keeper(client: Client) -> Client:
    client.force_login(factories.user("stella", is_staff=True, is_superuser=True))
    return client

"""Fixtures of the admin's tests."""

from typing import Any

import pytest
from django.test import Client

from tests import factories


@pytest.fixture(autouse=True)
def uncollected_files(settings: Any) -> None:
    """Use plain static file names: tests do not collect static files."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": plain}


@pytest.fixture
def admin_client() -> Client:
    client = Client()
    client.force_login(factories.user("stella", is_staff=True, is_superuser=True))
    return client

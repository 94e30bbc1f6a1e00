"""Races on a real MySQL or MariaDB. SQLite has a single writer, and no such races."""

from pathlib import Path

import pytest
from django.conf import settings

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    is_mysql = settings.DATABASES["default"]["ENGINE"].endswith("mysql")
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.django_db(transaction=True))
            item.add_marker(pytest.mark.xdist_group("races"))  # not concurrently: each of them loads the server
            if not is_mysql:
                item.add_marker(pytest.mark.skip(reason="needs MySQL: see make test-services"))

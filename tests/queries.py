"""Counts the SQL statements of a request."""

from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext


def queries(client: Client, path: str, **headers: Any) -> int:
    """The number of statements that a GET executes."""
    with CaptureQueriesContext(connection) as captured:
        assert client.get(path, headers=headers).status_code < 500, path
    return len(captured)

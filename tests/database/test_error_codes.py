"""Errors of the database that are not a fault of the statement are a 503 that says when to try again."""

import logging
from typing import Any

import pytest
from django.db import OperationalError
from rest_framework.test import APIClient

from productbackend.database import error_codes

NOT_APPLIED = "Error while waiting for group transactions commit on group_replication_consistency= 'BEFORE'."
ERRORS = {
    1317: "Query execution was interrupted",
    3032: "The server is currently in offline mode",
    3100: "Error on observer while running replication hook 'before_commit'.",
    3101: "Plugin instructed the server to rollback the current transaction.",
    3169: "Session was killed",
    3797: NOT_APPLIED,
}


def test_a_primary_that_changes_is_a_503(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    for code in sorted({*ERRORS, *error_codes.PRIMARY_CHANGES}):

        def fail(*args: Any, code: int = code, **kwargs: Any) -> None:
            raise OperationalError(code, ERRORS.get(code, NOT_APPLIED))

        monkeypatch.setattr("products.api.views.page", fail)
        answer = api.get("/products/")
        assert (answer.status_code, answer.json()["type"]) == (503, "/problems/unavailable"), code
        assert int(answer["Retry-After"]) > 0


def test_a_table_that_a_group_cannot_have_is_a_500(
    api: APIClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Trying again does not help: it lacks a primary key."""

    def fail(*args: Any, **kwargs: Any) -> None:
        raise OperationalError(3098, "The table does not comply with the requirements by an external plugin.")

    monkeypatch.setattr("products.api.views.page", fail)
    assert api.get("/products/").status_code == 500
    assert any(record.levelno == logging.ERROR for record in caplog.records)

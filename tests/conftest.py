"""Fixtures for all tests."""

import gc
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache, caches
from django.core.management.commands import flush, migrate
from django.db import connection
from rest_framework.test import APIClient

from accounts import two_factor
from tests import factories
from tests.flushing import MigratedRows
from tests.guests import GuestClient, new_guest
from tests.migrating import migrate_or_copy
from tests.signing_in import client_of

TRIES_MORE = 4  # of a control


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let a control, which shows a fault that happens by chance, pass once it is seen in one of five tries.

    Tests of what has to hold are never tried again.
    """
    for item in items:
        if item.name.startswith("test_control_"):
            item.add_marker(pytest.mark.flaky(reruns=TRIES_MORE))


def pytest_collection_finish() -> None:
    """Freeze loaded modules, so that the garbage collector does not scan them after each test."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    gc.enable()


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of this test run share."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> None:
    """Let SQLite not wait for the disk: no test cuts the power. The processes of `make run` do wait."""
    if connection.vendor == "sqlite":
        connection.settings_dict["OPTIONS"]["init_command"] += "PRAGMA synchronous=OFF;"


@pytest.fixture(scope="session")
def migrate_once(shared: Path) -> Iterator[pytest.MonkeyPatch]:
    """Let the first process of this test run migrate, and the others copy its database."""
    handle = migrate.Command.handle

    def migrated(command: migrate.Command, *args: Any, **options: Any) -> None:
        migrate_or_copy(shared, lambda: handle(command, *args, **options))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrate.Command, "handle", migrated)
        yield patch


@pytest.fixture(scope="session")
def django_db_setup(migrate_once: pytest.MonkeyPatch, django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """After a test that commits, restore the rows of the migrated database.

    Otherwise `flush` lets each app create its rows again, which takes 60 times as long, and those of migrations are
    missing from then on.
    """
    migrate_once.undo()
    with pytest.MonkeyPatch.context() as patch, ExitStack() as cleanup:
        with django_db_blocker.unblock():
            connection.ensure_connection()
            if connection.vendor == "sqlite":
                migrated = cleanup.enter_context(closing(sqlite3.connect(":memory:", check_same_thread=False)))
                connection.connection.backup(migrated)
                patch.setattr(flush, "emit_post_migrate_signal", lambda *args: migrated.backup(connection.connection))
            else:
                rows = MigratedRows()
                patch.setattr(flush, "sql_flush", rows.sql_flush)
                patch.setattr(flush, "emit_post_migrate_signal", rows.restore)
        yield


@pytest.fixture(autouse=True)
def fresh_cache() -> None:
    """Clear throttle counts and cached pages between tests."""
    cache.clear()
    caches["counters"].clear()


@pytest.fixture(autouse=True)
def static_files_without_manifest(settings: Any) -> None:
    """Use static files without the manifest, which only a deployment collects."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}


@pytest.fixture(autouse=True)
def fast_hashes(request: pytest.FixtureRequest, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash passwords with MD5, and recovery codes at the least cost, except in tests marked `real_passwords`."""
    if request.node.get_closest_marker("real_passwords") is None:
        settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", *settings.PASSWORD_HASHERS]
        monkeypatch.setattr(two_factor, "RECOVERY_COST", 2)


@pytest.fixture
def api() -> APIClient:
    """An anonymous client. It returns 500 as a real server does, instead of raising."""
    return APIClient(raise_request_exception=False)


@pytest.fixture
def customer(db: Any) -> APIClient:
    return client_of(factories.user("carla"))


@pytest.fixture
def other_customer(db: Any) -> APIClient:
    return client_of(factories.user("otto"))


@pytest.fixture
def staff(db: Any) -> APIClient:
    """A client of a superuser."""
    return client_of(factories.user("stella", is_staff=True, is_superuser=True))


@pytest.fixture
def rate(settings: Any) -> Callable[..., None]:
    """Return a function that sets the rates of throttles, and other settings of the REST framework."""

    def change(scope: str | Iterable[str], value: str, **others: Any) -> None:
        scopes = [scope] if isinstance(scope, str) else scope
        framework = settings.REST_FRAMEWORK
        rates = framework["DEFAULT_THROTTLE_RATES"] | dict.fromkeys(scopes, value)
        settings.REST_FRAMEWORK = framework | {"DEFAULT_THROTTLE_RATES": rates} | others

    return change


@pytest.fixture
def gauges_only(settings: Any, tmp_path: Path) -> None:
    """Let /metrics have no counters: to read those of all tests before takes a hundred times as long as the gauges."""
    settings.METRICS_DIR = tmp_path


@pytest.fixture
def one_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep beat's scheduler from rolling back the test's transaction."""
    monkeypatch.setattr("django_celery_beat.schedulers.close_old_connections", lambda: None)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the recorded counts, also of passed tests."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if name == "counts":
                terminalreporter.write_line(f"{report.nodeid.rpartition('::')[2]}: {value}")


@pytest.fixture
def with_guests(settings: Any) -> None:
    """A shop in which guests may buy."""
    settings.GUEST_CHECKOUT = True


@pytest.fixture
def guest(with_guests: None, api: APIClient, db: Any) -> GuestClient:
    return new_guest(api)

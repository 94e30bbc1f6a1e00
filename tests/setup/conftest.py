"""One service for all tests of this folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mail_server import MailServer
from tests.passwords import PASSWORD
from tests.setup import logs, trip
from tests.setup.service import Service, prepare

HERE = Path(__file__).parent
RUNNING = {"service", "paying"}


def pytest_collection_modifyitems(items: list[pytest.Function]) -> None:
    """Mark the tests of this folder that start the service: they take longer than all others of an app."""
    for item in items:
        if item.path.is_relative_to(HERE) and RUNNING & set(item.fixturenames):
            item.add_marker(pytest.mark.thorough)


@pytest.fixture(scope="session")
def mailbox() -> Iterator[MailServer]:
    with MailServer() as mailbox:
        yield mailbox


@pytest.fixture(scope="package")
def service(
    tmp_path_factory: pytest.TempPathFactory, shared: Path, mailbox: MailServer, django_db_setup: None
) -> Iterator[Service]:
    """A service that logs as in production, until this folder's last test. At teardown all its log lines are checked.

    It needs no test database, but copies the one that is migrated by then.
    """
    data_dir = tmp_path_factory.mktemp("service") / "var"
    mail_server = {"EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(mailbox.port)}
    # On a busy machine the tests take longer than a token's lifetime.
    prepare(data_dir, shared)
    service = Service(data_dir, has_demo=False, LOG_FORMAT="json", ACCESS_TOKEN_LIFETIME="60", **mail_server)
    family: set[int] = set()
    try:
        yield service.start()
        family = service.family()
    finally:
        code = service.stop()
    assert code == 0  # as after SIGTERM of a supervisor
    service.assert_nothing_is_left(family)
    assert not logs.faults(logs.of_processes(service.log), [PASSWORD, trip.ADDRESS, "@example.com"])


@pytest.fixture(scope="package")
def token(service: Service) -> str:
    return service.token()

"""One service for all who look at its work."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.setup import logs, trip
from tests.setup.mailbox import Mailbox
from tests.setup.service import PASSWORD, Service


@pytest.fixture(scope="session")
def mailbox() -> Iterator[Mailbox]:
    mailbox = Mailbox()
    mailbox.controller.start()
    yield mailbox
    mailbox.controller.stop()


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory, mailbox: Any) -> Iterator[Service]:
    """It logs as in production. In the end all that it ever logged is held to that, down to its last line."""
    data_dir = tmp_path_factory.mktemp("service") / "var"
    mail_server = {"EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(mailbox.controller.port)}
    service = Service(data_dir, has_demo=False, LOG_FORMAT="json", **mail_server)
    try:
        yield service.start()
    finally:
        service.stop()
    assert not logs.faults(logs.of_processes(service.log), [PASSWORD, trip.ADDRESS, "@example.com"])


@pytest.fixture(scope="session")
def token(service: Service) -> str:
    return service.token()

"""One service for all who look at its work."""

import logging
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from tests.setup import logs, trip
from tests.setup.service import PASSWORD, Service, free_port


class Mailbox:
    """What a mail server on this machine took in."""

    def __init__(self) -> None:
        self.mails: list[Message] = []
        logging.getLogger("mail.log").setLevel(logging.WARNING)
        self.controller = Controller(self, hostname="127.0.0.1", port=free_port())

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.mails.append(message_from_bytes(envelope.content))
        return "250 OK"


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

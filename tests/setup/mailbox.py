"""A mail server on this machine that keeps what it takes in."""

import logging
from email import message_from_bytes
from email.message import Message
from typing import Any

from aiosmtpd.controller import Controller

from tests.setup.service import free_port


class Mailbox:
    """A mail server, and what it took in."""

    def __init__(self) -> None:
        self.mails: list[Message] = []
        logging.getLogger("mail.log").setLevel(logging.WARNING)
        self.controller = Controller(self, hostname="127.0.0.1", port=free_port())

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.mails.append(message_from_bytes(envelope.content))
        return "250 OK"

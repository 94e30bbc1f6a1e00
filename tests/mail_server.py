"""A real SMTP server, with replies configured by recipient. It stores the mails that it accepts."""

import logging
from email import message_from_bytes
from email.message import Message
from typing import Any

from aiosmtpd.controller import Controller

from tests.ports import free_port


class MailServer:
    """`replies` maps a recipient to the reply to RCPT or, with the prefix "DATA ", to the reply to the text.

    It serves inside a `with` block, or between `start` and `stop`.
    """

    def __init__(self, host: str = "127.0.0.1", **options: Any) -> None:
        self.host, self.port = host, free_port(host)
        self.mails: list[Message] = []
        self.replies: dict[str, str] = {}
        logging.getLogger("mail.log").setLevel(logging.WARNING)
        self.controller = Controller(self, hostname=host, port=self.port, **options)

    def start(self) -> None:
        self.controller.start()

    def stop(self) -> None:
        self.controller.stop()

    def configure(self, settings: Any) -> None:
        """Let Django send its mails to this server."""
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = self.host, self.port

    def __enter__(self) -> "MailServer":
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        reply = self.replies.get(address, "")
        if reply and not reply.startswith("DATA "):
            return reply
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        reply = self.replies.get(envelope.rcpt_tos[0], "")
        if reply.startswith("DATA "):
            return reply.removeprefix("DATA ")
        self.mails.append(message_from_bytes(envelope.content))
        return "250 OK"

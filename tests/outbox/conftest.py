"""Kinds of mails, and a mail server."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from outbox import mails
from outbox.models import Mail
from tests.mail_server import MailServer


def compose(mail: Mail) -> mails.Message | None:
    if mail.reference == "unwanted":
        return None
    return mails.Message(subject=f"About\n{mail.reference}", text="Grüße", html="<p>Grüße</p>")


@pytest.fixture
def kinds(monkeypatch: Any) -> None:
    monkeypatch.setattr(mails, "KINDS", {})
    mails.register("news", compose)
    mails.register("patient", compose, delays=[timedelta(days=1)] * 4)


@pytest.fixture
def stopped(settings: Any) -> MailServer:
    """A server that does not run yet."""
    server = MailServer()
    server.configure(settings)
    return server


@pytest.fixture
def smtp(stopped: MailServer) -> Iterator[MailServer]:
    with stopped as server:
        yield server

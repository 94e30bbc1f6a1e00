"""An SMTP server for benchmarks, which records what it accepts and may reject some of it."""

import random
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from email import message_from_bytes
from typing import Any

REFUSED_SHARE = 0.1
REFUSALS_MAX = 3  # per recipient: a mail fails after five attempts, one of which a server's downtime takes


@dataclass
class Delivery:
    """A mail that was accepted with 250, and whether the client sent QUIT afterwards."""

    message_id: str
    quit_at: float | None = None  # by time.monotonic()

    @property
    def quit(self) -> bool:
        return self.quit_at is not None


@dataclass
class Mailbox:
    """The mails that the SMTP server accepted and rejected."""

    is_faulty: bool = True
    accepted: dict[str, list[Delivery]] = field(default_factory=lambda: defaultdict(list))
    refused: Counter[str] = field(default_factory=Counter)
    minutes: Counter[int] = field(default_factory=Counter)

    def refuses(self, address: str) -> bool:
        # Half of the rejections are at RCPT and half after DATA.
        if not self.is_faulty or self.refused[address] >= REFUSALS_MAX or random.random() >= REFUSED_SHARE / 2:
            return False
        self.refused[address] += 1
        return True

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if self.refuses(address):
            return "450 Busy"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        (address,) = envelope.rcpt_tos
        if self.refuses(address):
            return "451 Later"
        session.delivery = Delivery(str(message_from_bytes(envelope.content)["Message-ID"]))
        self.accepted[address].append(session.delivery)
        self.minutes[int(time.time() // 60)] += 1
        return "250 OK"

    async def handle_QUIT(self, server: Any, session: Any, envelope: Any) -> str:
        if delivery := getattr(session, "delivery", None):
            delivery.quit_at = time.monotonic()
        return "221 Bye"

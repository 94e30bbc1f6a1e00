"""The events of the test provider: each is a row, and is sent until the shop takes it or an hour is over."""

import http.client
import json
import logging
import socket
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from urllib.parse import urlsplit

from payments.test_provider import money, signing
from payments.test_provider.faults import Injector
from payments.test_provider.store import Row, Store

logger = logging.getLogger(__name__)

PATH = "/payment-events/test/"
TIMEOUT = 4.0  # seconds: the supervisor of make run kills what takes longer than 5 to stop
BACKOFF = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)  # the last one is repeated
GIVE_UP = 3_600.0  # seconds after the event
SENDERS = 4
KEEP = 86_400.0  # seconds that an event is kept


def add(store: Store, injector: Injector, payment: Row, kind: str, *, copies: int = 1, delay: float = 0.0) -> None:
    """Enqueue an event about the payment, in the caller's transaction. No copies: the event is lost."""
    now = time.time()
    state = "succeeded" if injector.happens("lie") else payment["state"]
    body = {
        "id": f"tpe_{uuid.uuid4().hex}",
        "type": kind,
        "created_at": money.time(now),
        "payment": {
            "reference": payment["reference"],
            "key": payment["key"],
            "state": state,
            "amount": money.amount(payment["cents"]),
            "currency": payment["currency"],
        },
    }
    if injector.happens("lose"):
        copies = 0
    elif injector.happens("double"):
        copies += 1
    if injector.happens("delay"):
        delay += injector.faults.delay_seconds
    if injector.happens("reorder"):
        delay += injector.faults.delay_seconds * injector.share()
    for _ in range(copies):
        store.run("INSERT INTO event (body, due_at, created_at) VALUES (?, ?, ?)", json.dumps(body), now + delay, now)


class Sender:
    """Sends the due events to the shop, from threads of its own."""

    def __init__(self, store: Store, *, shop_url: str, secret: str) -> None:
        self.store = store
        self.shop = urlsplit(shop_url)
        self.secret = secret
        self.pool = ThreadPoolExecutor(SENDERS, thread_name_prefix="sender")
        self.waiting: set[socket.socket] = set()  # for an answer of the shop

    def send_due(self) -> int:
        """Send what is due, up to one event for each thread; return how many were sent."""
        now = time.time()
        due = self.store.rows("SELECT * FROM event WHERE due_at <= ? ORDER BY due_at, id LIMIT ?", now, SENDERS)
        list(self.pool.map(self.send, due))
        return len(due)

    def send(self, event: Row) -> None:
        """Send the event once, and write what came of it. A killed process sends it again."""
        try:
            status = str(self._post(event["body"].encode()))
        except (OSError, http.client.HTTPException) as error:
            status = type(error).__name__
        now = time.time()
        due_at = None
        if status != "200":
            if not event["attempts"]:
                logger.info("The shop did not take event %d (%s): it is sent again", event["id"], status)
            due_at = now + BACKOFF[min(event["attempts"], len(BACKOFF) - 1)]
            if due_at > event["created_at"] + GIVE_UP:
                logger.warning("Event %d was not taken within an hour: %s", event["id"], status)
                due_at = None
        self.store.run(
            "UPDATE event SET due_at = ?, attempts = attempts + 1, status = ? WHERE id = ?",
            due_at,
            status,
            event["id"],
        )

    def delete_old(self) -> None:
        self.store.run("DELETE FROM event WHERE due_at IS NULL AND created_at < ?", time.time() - KEEP)

    def close(self) -> None:
        """Wait for no answer any more: the events are sent again after a restart."""
        self.pool.shutdown(wait=False)
        for connected in list(self.waiting):
            with suppress(OSError):  # it was answered meanwhile
                connected.shutdown(socket.SHUT_RDWR)

    def _post(self, body: bytes) -> int:
        kind = http.client.HTTPSConnection if self.shop.scheme == "https" else http.client.HTTPConnection
        with closing(kind(self.shop.hostname or "", self.shop.port, timeout=TIMEOUT)) as connection:
            headers = {
                "Content-Type": "application/json",
                signing.HEADER: signing.sign(body, secret=self.secret, at=int(time.time())),
            }
            connection.request("POST", f"{self.shop.path}{PATH}", body, headers)
            connected: socket.socket = connection.sock
            self.waiting.add(connected)
            try:
                return connection.getresponse().status
            finally:
                self.waiting.discard(connected)


class Worker(threading.Thread):
    """Repeats `work`, which returns how much it did, until it is stopped."""

    def __init__(self, name: str, work: Callable[[], int]) -> None:
        super().__init__(name=name, daemon=True)
        self.work = work
        self.stopping = threading.Event()

    def run(self) -> None:
        while not self.stopping.is_set():
            try:
                busy = self.work()
            except Exception:  # the next round tries again
                logger.exception("The %s of the test provider failed", self.name)
                busy = 0
            if not busy:
                self.stopping.wait(0.1)

    def stop(self) -> None:
        self.stopping.set()
        self.join(1)

"""Messages to the queue: for mails, and for other tasks.

A message costs a request more than the mail's row does. So requests hand their mails to a thread of their process,
which sends one message for those of an interval. A process that is killed before loses messages, and no mail: the sweep
finds the rows.
"""

import logging
import threading
import time
from collections.abc import Sequence
from typing import Any

from kombu.exceptions import KombuError

from productbackend.celery import app
from productbackend.observability import context

logger = logging.getLogger(__name__)

SEND = "outbox.tasks.send"
INTERVAL = 0.05  # seconds
MAILS_MAX = 20  # of one message

Waiting = tuple[int, str | None, int | None]  # a mail, and the request that enqueued it: its id and its user


def dispatch_task(task: str, *args: Any) -> None:
    """Send a task to the queue. If the queue is unreachable, log it: the sweep finds the row later."""
    try:
        # By name, since the tasks import this module.
        app.signature(task, args=args).apply_async()
    except (KombuError, OSError) as error:
        logger.warning("The queue is unreachable for %s%s: %s", task, args, error)


def dispatch_mails(mails: Sequence[Waiting]) -> None:
    """Send one message for several mails. Its task has the request of the first."""
    (mail_id, request_id, user_id), *others = mails
    with context.on_behalf_of(request_id, user_id):
        dispatch_task(SEND, mail_id, *([others] if others else []))


class MailQueue:
    """The mails of this process whose message is not sent yet.

    Its thread lives while there are any. It is no daemon: a process that ends waits for it.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.waiting: list[Waiting] = []
        self.thread: threading.Thread | None = None

    def add(self, mail_id: int) -> None:
        """Enqueue a mail that is committed: immediately, or at the end of the interval that has begun."""
        with self.lock:
            self.waiting.append((mail_id, *context.current_request()))
            # In a process that was forked meanwhile, its parent's thread is not alive.
            if self.thread is None or not self.thread.is_alive():
                self.thread = threading.Thread(target=self._run, name="mail-queue")
                self.thread.start()

    def _run(self) -> None:
        while waiting := self._next():
            for first in range(0, len(waiting), MAILS_MAX):
                dispatch_mails(waiting[first : first + MAILS_MAX])
            time.sleep(INTERVAL)

    def _next(self) -> list[Waiting]:
        with self.lock:
            waiting, self.waiting = self.waiting, []
            if not waiting:
                self.thread = None
            return waiting


queue = MailQueue()

"""Celery's broker on files, for a machine without Redis: kombu's, fixed for concurrent processes.

kombu 5.7 writes messages and routing tables in place, so another process can read half of one and
exit (celery/kombu#1551). It moves a message to the temporary folder, which may be on another disk:
such a move is a copy, and two readers can both make it. Here every file is published and claimed
by a rename within one folder, which is atomic: a file is complete, and one reader claims it.
"""

import fcntl
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.exceptions import ChannelError
from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.transport.filesystem import exchange_queue_t
from kombu.utils.json import dumps, loads


class Channel(filesystem.Channel):
    """kombu's channel, safe for concurrent processes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.queue_folder = Path(self.data_folder_in)
        for folder in (self.queue_folder, self.control_folder):
            folder.mkdir(parents=True, exist_ok=True)

    def _put(self, queue: str, payload: Any, **kwargs: Any) -> None:
        # The name sorts by age. monotonic(), which kombu uses, restarts when the machine boots.
        write_atomically(self.queue_folder / f"{time.time_ns()}_{uuid.uuid4()}.{queue}.msg", payload)

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        for name in sorted(os.listdir(self.queue_folder)):
            if name.partition(".")[2] != f"{queue}.msg":
                continue
            taken = self.queue_folder / f"{name}.{os.getpid()}.taken"
            try:
                os.rename(self.queue_folder / name, taken)
            except FileNotFoundError:
                continue  # another reader claimed it
            payload = loads(taken.read_text())
            taken.unlink()
            return payload
        raise Empty

    def get_table(self, exchange: str) -> list[exchange_queue_t]:
        try:
            rows = loads(self._exchange_file(exchange).read_text())
        except FileNotFoundError:
            return []
        return [exchange_queue_t(*row) for row in rows]

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str, queue: str) -> None:
        row = exchange_queue_t(routing_key or "", pattern or "", queue or "")
        if row in self.get_table(exchange):
            return
        with self._table_lock():
            table = self.get_table(exchange)
            if row not in table:
                write_atomically(self._exchange_file(exchange), [row, *table])

    def _delete(self, queue: str, exchange: str, routing_key: str, pattern: str, *args: Any, **kwargs: Any) -> None:
        self._purge(queue)
        row = exchange_queue_t(routing_key or "", pattern or "", queue or "")
        with self._table_lock():
            table = self.get_table(exchange)
            if row in table:
                write_atomically(self._exchange_file(exchange), [other for other in table if other != row])

    @contextmanager
    def _table_lock(self) -> Iterator[None]:
        with open(self.control_folder / "lock", "w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def write_atomically(path: Path, content: Any) -> None:
    part = path.with_name(f"{path.name}.{uuid.uuid4()}.part")  # readers ignore names that do not end in .msg
    try:
        part.write_text(dumps(content))
        part.rename(path)
    except OSError as error:
        raise ChannelError(f"{path} cannot be written: {error}") from error


class Transport(filesystem.Transport):
    """kombu's transport, polled by the worker's event loop.

    For a transport without an event loop Celery uses a pool whose processes share a single lock: a
    process that is killed may hold it for ever, and the worker never runs a task again. With the
    event loop each process has its own pipe.
    """

    Channel = Channel
    implements = filesystem.Transport.implements.extend(asynchronous=True)

    def register_with_event_loop(self, connection: Any, loop: Any) -> None:
        loop.call_repeatedly(self.polling_interval, self.deliver_pending)

    def deliver_pending(self) -> None:
        """Deliver the queued messages, up to the worker's prefetch limit."""
        with suppress(Empty):
            while True:
                self.cycle.get(self._deliver)


TRANSPORT_ALIASES["filesystem"] = "productbackend.embedded.filesystem_broker:Transport"

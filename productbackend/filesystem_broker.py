"""Celery's queue on disk, for a machine without Redis: kombu's, mended where processes meet.

kombu 5.7 writes messages and routing tables in place, so that another process can read half
of one and end (celery/kombu#1551), and takes a message by way of the temporary folder, which
may be another disk, where a move is a copy that two readers can both make. Here every file
appears and is taken by a rename within one folder: whole or not at all, and by one reader alone.
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
    """kombu's, for many processes at once."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.queue_folder = Path(self.data_folder_in)
        for folder in (self.queue_folder, self.control_folder):
            folder.mkdir(parents=True, exist_ok=True)

    def _put(self, queue: str, payload: Any, **kwargs: Any) -> None:
        # The name sorts by age. monotonic(), kombu's choice, begins anew with the machine.
        write_whole(self.queue_folder / f"{time.time_ns()}_{uuid.uuid4()}.{queue}.msg", payload)

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        for name in sorted(os.listdir(self.queue_folder)):
            if name.partition(".")[2] != f"{queue}.msg":
                continue
            taken = self.queue_folder / f"{name}.{os.getpid()}.taken"
            try:
                os.rename(self.queue_folder / name, taken)
            except FileNotFoundError:
                continue  # another reader was first
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
                write_whole(self._exchange_file(exchange), [row, *table])

    def _delete(self, queue: str, exchange: str, routing_key: str, pattern: str, *args: Any, **kwargs: Any) -> None:
        self._purge(queue)
        row = exchange_queue_t(routing_key or "", pattern or "", queue or "")
        with self._table_lock():
            table = self.get_table(exchange)
            if row in table:
                write_whole(self._exchange_file(exchange), [other for other in table if other != row])

    @contextmanager
    def _table_lock(self) -> Iterator[None]:
        with open(self.control_folder / "lock", "w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def write_whole(path: Path, content: Any) -> None:
    part = path.with_name(f"{path.name}.{uuid.uuid4()}.part")  # no reader takes what does not end in .msg
    try:
        part.write_text(dumps(content))
        part.rename(path)
    except OSError as error:
        raise ChannelError(f"{path} cannot be written: {error}") from error


class Transport(filesystem.Transport):
    """kombu's, polled by the worker's event loop.

    For a transport without one Celery takes a pool whose processes share a single lock: one that
    is killed may hold it for ever, and the worker never runs a task again. With the event loop
    each has a pipe of its own.
    """

    Channel = Channel
    implements = filesystem.Transport.implements.extend(asynchronous=True)

    def register_with_event_loop(self, connection: Any, loop: Any) -> None:
        loop.call_repeatedly(self.polling_interval, self.deliver_waiting)

    def deliver_waiting(self) -> None:
        """Hand over what lies there, as much as the worker takes at once."""
        with suppress(Empty):
            while True:
                self.cycle.get(self._deliver)


TRANSPORT_ALIASES["filesystem"] = "productbackend.filesystem_broker:Transport"

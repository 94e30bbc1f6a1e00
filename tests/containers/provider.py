"""The test provider of payments on this host. The stack's containers reach it at their own loopback address.

It listens on loopback only, as developers run it. So a relay listens in the network namespace of each container that
calls it, and connects to the same port of this host.
"""

import ctypes
import os
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from benchmarks.provider_process import provider_process
from tests.containers.stack import SETTINGS, SHOP, Failed, compose, containers, main_pid
from tests.ports import free_port
from tests.waiting import wait_for

CALLERS = ("web", "worker")
CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


@contextmanager
def provider() -> Iterator[tuple[Path, "Relay"]]:
    """Run the stack with the test provider as its only payment method; yield the folder of its books, and the relay."""
    port = free_port()
    ours = {"PAYMENT_METHODS": "test", "TEST_PROVIDER_URL": f"http://127.0.0.1:{port}", "SITE_URL": SHOP}
    with tempfile.TemporaryDirectory(prefix="productbackend-provider-") as folder:
        os.environ |= ours | {"SECRET_KEY": SETTINGS["SECRET_KEY"], "DATA_DIR": folder, "ENV_FILE": os.devnull}
        SETTINGS.update(ours)
        with provider_process():
            compose("up", "--detach", "--wait")
            relay = Relay(port)
            relay.start()
            try:
                wait_for(lambda: relay.listening, seconds=30, name="the relay to the provider")
                yield Path(folder), relay
            finally:
                relay.stop()
    for name in ours:
        del SETTINGS[name], os.environ[name]


class Relay(threading.Thread):
    """Follows the callers' containers, which may be restarted, and relays their connections to `port`."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.port = port
        self.listening: dict[int, socket.socket] = {}  # by the main process of a container
        self.stopping = threading.Event()
        self.is_cut = False  # a fault: connections are closed

    def run(self) -> None:
        while not self.stopping.wait(1):
            with suppress(Failed, OSError, ValueError):  # one of them is just being restarted
                self.follow({main_pid(each) for name in CALLERS for each in containers(name)} - {0})

    def follow(self, pids: set[int]) -> None:
        for pid in set(self.listening) - pids:
            listener = self.listening.pop(pid)
            with suppress(OSError):  # its namespace is gone
                listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
            listener.close()
        for pid in pids - set(self.listening):
            self.listening[pid] = listener = listen_in_namespace(pid, self.port)
            threading.Thread(target=self.accept, args=(listener,), daemon=True).start()

    def accept(self, listener: socket.socket) -> None:
        with suppress(OSError):  # closed
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=self.relay, args=(connection,), daemon=True).start()

    def relay(self, connection: socket.socket) -> None:
        """Relay one connection until both sides have ended."""
        with suppress(OSError), closing(connection):
            if self.is_cut:
                return
            with socket.create_connection(("127.0.0.1", self.port), timeout=60) as other:
                back = threading.Thread(target=pump, args=(other, connection), daemon=True)
                back.start()
                pump(connection, other)
                back.join()

    def stop(self) -> None:
        self.stopping.set()
        self.join()
        self.follow(set())


def pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def listen_in_namespace(pid: int, port: int) -> socket.socket:
    """A socket that listens at `port` of the loopback address in the network namespace of a process."""
    made: list[socket.socket] = []

    def make() -> None:  # in a thread of its own, which alone enters the namespace
        with open(f"/proc/{pid}/ns/net") as namespace:
            if libc.setns(namespace.fileno(), CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), f"setns of {pid}")
        made.append(socket.create_server(("127.0.0.1", port), backlog=64))

    thread = threading.Thread(target=make)
    thread.start()
    thread.join()
    if not made:
        raise OSError(f"No socket could be made in the namespace of {pid}.")
    return made[0]

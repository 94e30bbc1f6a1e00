"""The filesystem broker with many concurrent processes; kombu's own transport is the control, which may fail."""

import json
import subprocess
import sys
import time
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
from django.conf import settings
from kombu import Connection, Exchange, Queue
from kombu.transport import TRANSPORT_ALIASES, filesystem

from productbackend.embedded import filesystem_broker

pytestmark = pytest.mark.embedded

MESSAGES = 150
PROCESSES = 3

# The program of each process. Its arguments are the folder and the transport.
START = """
import sys, json
from pathlib import Path
from kombu import Connection, Queue
import productbackend.embedded.filesystem_broker
folder, transport, number = sys.argv[1:4]
Path(folder, "queue").mkdir(exist_ok=True); Path(folder, "control").mkdir(exist_ok=True)
connection = Connection(transport="kombu.transport.filesystem:Transport" if transport == "kombu" else "filesystem",
    transport_options={"data_folder_in": f"{folder}/queue", "data_folder_out": f"{folder}/queue",
                       "control_folder": f"{folder}/control", "polling_interval": 0.01})
queue = connection.SimpleQueue("jobs")
"""
PUBLISH = f"""
for n in range({MESSAGES}):
    queue.put({{"number": f"{{number}}-{{n}}", "padding": "x" * 200_000}})
"""
CONSUME = """
from queue import Empty
got = []
try:
    while True:
        message = queue.get(timeout=3)
        got.append(message.payload["number"])
        message.ack()
except Empty:
    print(json.dumps(got))
"""


def pump(folder: Path, transport: str) -> tuple[list[str], list[str]]:
    """Publish and consume in many concurrent processes; return the messages and the errors of the processes."""
    running = [
        subprocess.Popen(
            [sys.executable, "-c", START + work, str(folder), transport, str(number)],
            cwd=settings.BASE_DIR,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for work in (CONSUME, PUBLISH)
        for number in range(PROCESSES)
    ]
    arrived: list[str] = []
    errors: list[str] = []
    for process in running:
        output, error = process.communicate(timeout=60)
        arrived += json.loads(output) if output else []
        errors += [error.strip().splitlines()[-1]] if process.returncode else []
    return arrived, errors


@pytest.mark.thorough  # a process for each writer
def test_every_message_arrives_whole_and_once(tmp_path: Path) -> None:
    arrived, errors = pump(tmp_path, "ours")
    assert errors == []
    assert sorted(arrived) == sorted(f"{p}-{n}" for p in range(PROCESSES) for n in range(MESSAGES))
    assert list((tmp_path / "queue").iterdir()) == []


def channel_of(transport: str, folder: Path) -> Any:
    for name in ("queue", "control"):
        (folder / name).mkdir(exist_ok=True)
    options = {
        "data_folder_in": str(folder / "queue"),
        "data_folder_out": str(folder / "queue"),
        "control_folder": str(folder / "control"),
    }
    return Connection(transport=transport, transport_options=options).default_channel


KOMBU, OURS = "kombu.transport.filesystem:Transport", "productbackend.embedded.filesystem_broker:Transport"


@pytest.mark.parametrize(("transport", "survives"), [(KOMBU, False), (OURS, True)], ids=["kombu", "ours"])
def test_writes_are_atomic_for_readers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, transport: str, survives: bool
) -> None:
    """Pause a writer between opening its file and writing it, and read."""
    channel = channel_of(transport, tmp_path)
    module = filesystem if transport == KOMBU else filesystem_broker
    seen: list[str] = []
    dumps = module.dumps

    def read_meanwhile(content: Any) -> Any:
        try:
            seen.append(f"got {channel._get('jobs')}")
        except Empty:
            seen.append("empty")
        except ValueError as error:
            seen.append(f"broken: {error}")
        return dumps(content)

    monkeypatch.setattr(module, "dumps", read_meanwhile)
    channel._put("jobs", {"number": 1})
    assert (seen == ["empty"]) is survives
    if survives:
        assert channel._get("jobs") == {"number": 1}


@pytest.mark.thorough  # a process for each writer
def test_concurrent_binds_are_all_in_the_routing_table(tmp_path: Path) -> None:
    code = START + (
        "exchange = connection.default_channel\n"
        "for n in range(40):\n"
        "    exchange._queue_bind('shop', f'{number}-{n}', '', 'jobs')\n"
        "    assert exchange.get_table('shop')\n"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path), "ours", str(n)], cwd=settings.BASE_DIR)
        for n in range(PROCESSES)
    ]
    assert [process.wait(timeout=60) for process in running] == [0] * PROCESSES
    table = channel_of(OURS, tmp_path).get_table("shop")
    assert {row.routing_key for row in table} == {f"{p}-{n}" for p in range(PROCESSES) for n in range(40)}


def test_the_routing_table_is_replaced_and_not_rewritten(tmp_path: Path) -> None:
    """A reader that has opened the table reads all of it."""
    channel = channel_of(OURS, tmp_path)
    channel._queue_bind("shop", "a", "", "jobs")
    [table] = (tmp_path / "control").glob("shop*")
    for change in (channel._queue_bind, lambda exchange, key, *rest: channel._delete("jobs", exchange, key, "")):
        before = table.read_text()
        with table.open() as reader:
            change("shop", "b", "", "jobs")
            assert reader.read() == before
        assert table.read_text() != before


def test_messages_are_delivered_in_order(tmp_path: Path) -> None:
    channel = channel_of(OURS, tmp_path)
    for number in range(5):
        channel._put("jobs", number)
        time.sleep(0.001)
    assert [channel._get("jobs") for _ in range(5)] == [0, 1, 2, 3, 4]


def test_a_message_is_claimed_without_leaving_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """kombu moves it to another folder, which may be on another disk: two readers could both copy it."""
    channel = channel_of(OURS, tmp_path)
    queue = Queue("jobs", Exchange("shop", type="direct"), routing_key="jobs")(channel)
    queue.declare()
    queue.exchange(channel).publish(channel.prepare_message("one", content_type="text/plain"), routing_key="jobs")
    monkeypatch.setattr("kombu.transport.filesystem.shutil.move", lambda *paths: pytest.fail("it was moved"))
    message = queue.get()
    assert message is not None
    message.ack()
    assert message.payload == "one"
    assert not list(channel.queue_folder.iterdir())


def test_a_queue_that_is_deleted_is_forgotten_with_its_messages(tmp_path: Path) -> None:
    channel = channel_of(OURS, tmp_path)
    queue = Queue("jobs", Exchange("shop", type="direct"), routing_key="jobs")(channel)
    queue.declare()
    channel._put("jobs", 1)
    assert channel._size("jobs") == 1
    queue.delete()
    assert channel._size("jobs") == 0
    assert channel.get_table("shop") == []


def test_a_worker_uses_the_asynchronous_pool() -> None:
    """Celery uses it only if the transport supports an event loop."""
    assert filesystem_broker.Transport.implements.asynchronous
    assert not filesystem.Transport.implements.asynchronous


def test_kombu_finds_the_transports_of_this_project() -> None:
    """They register themselves when they are imported, which the Celery application does."""
    assert {name: TRANSPORT_ALIASES[name] for name in ("filesystem", "redis", "sentinel")} == {
        "filesystem": "productbackend.embedded.filesystem_broker:Transport",
        "redis": "productbackend.workers.redis_broker:Transport",
        "sentinel": "productbackend.workers.redis_broker:SentinelTransport",
    }

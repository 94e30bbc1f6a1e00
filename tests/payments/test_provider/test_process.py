"""`manage.py test_provider`, the real process: it keeps its books, and says in one line why it does not start."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from django.conf import settings
from django.core.management import CommandError, call_command

from payments.providers.base import ProviderUnavailable, State
from payments.providers.test import TestProvider
from tests.payments.test_provider.running import SECRET_KEY, Shop, attempt
from tests.ports import free_port
from tests.setup.service import EMBEDDED
from tests.waiting import wait_for

pytestmark = pytest.mark.embedded


class Process:
    """The process, at a free port."""

    def __init__(self, folder: Path, shop_url: str, **environment: str) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        self.environment = (
            os.environ
            | EMBEDDED
            | {
                "DATA_DIR": str(folder),
                "SITE_URL": shop_url,
                "TEST_PROVIDER_URL": self.url,
                "SECRET_KEY": SECRET_KEY,
                "PAYMENT_METHODS": "test",
                **environment,
            }
        )
        self.client = TestProvider(self.url, secret_key=SECRET_KEY)

    def start(self) -> "Process":
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "test_provider"],
            cwd=settings.BASE_DIR,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        wait_for(self.is_reachable, seconds=60)
        return self

    def is_reachable(self) -> bool:
        assert self.process.poll() is None, self.process.communicate()
        try:
            return requests.get(self.url, timeout=5).ok
        except requests.ConnectionError:
            return False

    def stop(self, signum: int) -> int:
        self.process.send_signal(signum)
        self.output, self.errors = self.process.communicate(timeout=15)
        return self.process.returncode


@pytest.fixture
def shop() -> Iterator[Shop]:
    shop = Shop()
    yield shop
    shop.close()


@pytest.mark.thorough
def test_a_killed_process_keeps_its_books_and_sends_its_events_after_the_restart(tmp_path: Path, shop: Shop) -> None:
    shop.close()  # its events have to wait
    process = Process(tmp_path, shop.url).start()
    started = process.client.start(attempt())
    for fields in ({"course": "pays"}, {"course": "refund_outside", "amount": "5.00"}):
        requests.post(started.redirect_url, data=fields, timeout=10, allow_redirects=False)
    before = process.client.fetch(started.reference)
    process.stop(signal.SIGKILL)

    again = Shop(shop.server_port)
    process.start()
    assert process.client.fetch(started.reference) == before
    assert (before.state, len(before.refunds)) == (State.SUCCEEDED, 1)
    assert process.client.start(attempt()) == started
    wait_for(lambda: len(again.received) == 2, seconds=20)
    assert process.stop(signal.SIGTERM) == 0
    assert process.errors == ""
    assert process.output == f"The test provider listens at {process.url}/\n"
    again.close()


@pytest.mark.thorough
def test_ctrl_c_ends_it_also_while_an_answer_hangs(tmp_path: Path, shop: Shop) -> None:
    process = Process(tmp_path, shop.url).start()
    url, headers = f"{process.url}/faults", {"Authorization": f"Bearer {process.client.token}"}
    requests.post(url, json={"next_start": "times_out", "timeout_seconds": 60}, headers=headers, timeout=10)
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(process.client.start, attempt())
        wait_for(lambda: not requests.get(url, headers=headers, timeout=10).json()["next_start"], seconds=20)
        assert process.stop(signal.SIGINT) == 0
    assert isinstance(answer.exception(), ProviderUnavailable)
    assert process.errors == ""


@pytest.mark.thorough
def test_it_ends_in_time_while_the_shop_does_not_answer(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # it takes events, and says nothing
        process = Process(tmp_path, f"http://127.0.0.1:{silent.getsockname()[1]}").start()
        started = process.client.start(attempt())
        requests.post(started.redirect_url, data={"course": "doubles_event"}, timeout=10, allow_redirects=False)
        silent.settimeout(10)
        connections = [silent.accept()[0] for _ in range(2)]
        before = time.monotonic()
        assert process.stop(signal.SIGTERM) == 0
        assert time.monotonic() - before < 5.5
        assert "Traceback" not in process.errors
        for connection in connections:
            connection.close()


@pytest.mark.thorough
def test_a_taken_port_gets_one_line_that_names_the_setting(tmp_path: Path, shop: Shop) -> None:
    process = Process(tmp_path, "http://127.0.0.1:9", TEST_PROVIDER_URL=shop.url)
    answer = subprocess.run(
        [sys.executable, "manage.py", "test_provider"],
        cwd=settings.BASE_DIR,
        env=process.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert answer.returncode != 0
    [line] = answer.stderr.splitlines()
    assert shop.url in line
    assert "TEST_PROVIDER_URL" in line
    assert not (tmp_path / "test-provider.sqlite3").exists()


@pytest.mark.parametrize("url", ["http://0.0.0.0:8010", "http://provider.example:8010"])
def test_an_address_that_others_can_reach_is_refused(settings: Any, url: str) -> None:
    settings.TEST_PROVIDER_URL = url
    with pytest.raises(CommandError, match=r"TEST_PROVIDER_URL: .*this machine alone"):
        call_command("test_provider")


def test_a_shop_on_the_internet_is_refused(settings: Any) -> None:
    settings.SITE_URL = "https://shop.example"
    settings.TEST_PROVIDER_URL = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(CommandError, match="SITE_URL is https"):
        call_command("test_provider")

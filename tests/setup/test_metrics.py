"""/metrics of real processes, also after some of them were killed."""

import os
import signal

import pytest
import requests

from tests.mail_server import MailServer
from tests.observability.metrics.reading import Samples, parsed, value
from tests.passwords import PASSWORD
from tests.products import pictures
from tests.setup.service import Service
from tests.setup.test_worker import RENDITIONS, TASKS, new_product, ready, upload
from tests.waiting import wait_for

pytestmark = [pytest.mark.xdist_group("worker"), pytest.mark.embedded]

REQUESTS = "productbackend_http_requests_total"


def read(service: Service) -> Samples:
    answer = requests.get(f"{service.url}/metrics", timeout=20)
    assert answer.status_code == 200
    return parsed(answer.text)


def live(samples: Samples) -> float:
    return value(samples, REQUESTS, route="/health/live/", status=200)


def done(service: Service, task: str) -> float:
    return value(read(service), TASKS, task=task, result="success")


def ask(service: Service, times: int) -> None:
    """Send requests on separate connections, so that every process gets some."""
    for _ in range(times):
        assert requests.get(f"{service.url}/health/live/", timeout=20).ok


def files_of(service: Service, pids: set[int]) -> list[str]:
    """The counter files of these processes, which end in the process id."""
    names = [path.name for path in (service.data_dir / "metrics").glob("*.db")]
    return [name for name in names if name.removesuffix(".db").rpartition("-")[2] in map(str, pids)]


def test_the_sum_of_all_web_processes_is_right_also_after_they_are_killed(service: Service) -> None:
    before = live(read(service))
    ask(service, 60)
    assert live(read(service)) == before + 60
    web = service.pid_of("web")
    killed = service.children_of(web)
    assert files_of(service, killed)
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: len(service.children_of(web) - killed) == len(killed), seconds=15)
    wait_for(service.is_reachable, seconds=10)
    ask(service, 40)
    assert live(read(service)) == before + 100
    assert not files_of(service, killed)


def test_metrics_are_not_served_through_a_proxy(service: Service) -> None:
    answer = service.request("GET", "/metrics", headers={"X-Forwarded-For": "127.0.0.1"})
    assert answer.status_code == 404
    assert answer.json()["type"] == "/problems/not-found"


def test_tasks_are_counted_with_their_durations(service: Service, token: str, mailbox: MailServer) -> None:
    before = {task: done(service, task) for task in ("outbox.tasks.send", RENDITIONS)}
    account = {"username": "mona", "email": "mona@example.com", "password": PASSWORD, "repeat_password": PASSWORD}
    assert service.request("POST", "/register/", json=account).status_code == 201
    path = upload(service, token, new_product(service, token, "Measured"), pictures.jpeg(200, 200))
    wait_for(lambda: ready(service, token, path), seconds=30)
    wait_for(lambda: mailbox.mails[-1]["To"] == "mona@example.com", seconds=30)
    for task in before:
        wait_for(lambda: done(service, task) > before[task], seconds=10)  # noqa: B023
        samples = read(service)
        assert value(samples, "productbackend_task_duration_seconds_count", task=task) > before[task]
        assert value(samples, "productbackend_task_duration_seconds_sum", task=task) > 0
        assert (TASKS, frozenset({("task", task), ("result", "failure")})) in samples  # at 0, before the first
    assert value(samples, "productbackend_image_oldest_pending_seconds") == 0


def test_beat_ticks(service: Service) -> None:
    """Beat sends sweeps twice a minute."""
    name = "productbackend_beat_tick_timestamp_seconds"
    wait_for(lambda: value(read(service), name) > 0, seconds=40, every=1)

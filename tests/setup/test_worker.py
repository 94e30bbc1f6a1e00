"""Images and mails, by the processes that `make run` starts."""

import os
import re
import signal
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from products.images import lifecycle
from tests.mail_server import MailServer
from tests.observability.metrics.reading import parsed, value
from tests.passwords import PASSWORD
from tests.products import pictures
from tests.setup import logs
from tests.setup.service import Service
from tests.waiting import wait_for

pytestmark = [pytest.mark.xdist_group("worker"), pytest.mark.embedded]

TASKS = "productbackend_tasks_total"
RENDITIONS = "products.tasks.make_renditions"


def upload(service: Service, token: str, product: int, picture: bytes, request_id: str = "") -> str:
    """Upload a picture to the product; return the path of the image."""
    answer = service.request(
        "POST",
        f"/products/{product}/images/",
        token=token,
        files={"image": ("photo.jpg", picture, "image/jpeg")},
        headers={"X-Request-ID": request_id},
    )
    assert answer.status_code == 201, answer.text
    assert answer.json()["status"] == "pending"
    return f"/products/{product}/images/{answer.json()['id']}/"


def new_product(service: Service, token: str, name: str) -> int:
    answer = service.request("POST", "/products/", token=token, json={"name": name, "quantity": 1})
    assert answer.status_code == 201, answer.text
    return int(answer.json()["id"])


def ready(service: Service, token: str, path: str) -> Any:
    image = service.request("GET", path, token=token).json()
    assert image["status"] != "failed", image
    return image if image["status"] == "ready" else None


def is_at_work(service: Service) -> bool:
    """Whether a worker has claimed an image and is processing it."""
    with closing(sqlite3.connect(service.data_dir / "db.sqlite3", timeout=20)) as database:
        claimed = "SELECT 1 FROM products_productimage WHERE status = 'pending' AND claimed_at IS NOT NULL"
        return database.execute(claimed).fetchone() is not None


def expire_claims(service: Service) -> None:
    """Let the claims of workers on images be as old as if their lease had ended."""
    with closing(sqlite3.connect(service.data_dir / "db.sqlite3", timeout=20)) as database, database:
        seconds = lifecycle.LEASE.total_seconds()
        database.execute(
            "UPDATE products_productimage SET claimed_at = datetime(claimed_at, ?) WHERE claimed_at IS NOT NULL",
            [f"-{seconds} seconds"],
        )


def process_of(service: Service, task: str, request_id: str, worker: str = "worker") -> int:
    """The id of the process that ran the request's task, from the worker's log."""

    def done() -> list[int]:
        said = logs.parsed(logs.of_processes(service.log, worker))
        mine = [line for line in said if (line["task"], line["request_id"]) == (task, request_id)]
        return [line["process"] for line in mine if "succeeded" in line["message"]]

    return wait_for(done, seconds=10)[0]


def test_a_photograph_of_12_megapixels_becomes_three_renditions(service: Service, token: str) -> None:
    product = new_product(service, token, "Photographed")
    path = upload(service, token, product, pictures.jpeg(4000, 3000), request_id="the-upload")
    image = wait_for(lambda: ready(service, token, path), seconds=30)

    sizes = {}
    for name in ("full", "thumb", "large"):
        address = image[name] if image[name].startswith("http") else f"{service.url}{image[name]}"
        assert f"-{name}." in address
        sizes[name] = pictures.decode(service.request("GET", address.removeprefix(service.url)).content).size
    assert sizes == {"full": (500, 375), "thumb": (100, 75), "large": (1200, 900)}
    assert service.request("GET", f"/products/{product}/").json()["image"]["id"] == image["id"]

    pid = process_of(service, RENDITIONS, "the-upload", worker="images")
    web = service.pid_of("web")
    assert pid in service.children_of(service.pid_of("images"))
    assert pid not in {web} | service.children_of(web)


def test_a_registration_sends_a_mail_by_the_worker(service: Service, mailbox: MailServer) -> None:
    account = {"username": "carla", "email": "carla@example.com", "password": PASSWORD, "repeat_password": PASSWORD}
    answer = service.request("POST", "/register/", json=account, headers={"X-Request-ID": "the-registration"})
    assert answer.status_code == 201, answer.text

    wait_for(lambda: "carla@example.com" in [mail["To"] for mail in mailbox.mails], seconds=30)
    pid = process_of(service, "outbox.tasks.send", "the-registration")
    assert pid in service.children_of(service.pid_of("worker"))


def lost(service: Service) -> float:
    """The number of lost image tasks, from the metrics."""
    return value(parsed(service.request("GET", "/metrics").text), TASKS, task=RENDITIONS, result="lost")


def test_killed_pool_processes_lose_no_image_and_their_tasks_are_logged(service: Service, token: str) -> None:
    product, before = new_product(service, token, "Survivor"), lost(service)
    worker = service.pid_of("images")
    killed = service.children_of(worker)
    # A PNG takes long enough to decode that the process can be killed meanwhile.
    photograph = pictures.photograph(4000, 3001)
    drawn = [pictures.encode(photograph.crop((0, 0, 4000, 3000 + n)), "PNG", compress_level=1) for n in range(2)]
    paths = [upload(service, token, product, picture, "a-killed-one") for picture in drawn]
    wait_for(lambda: is_at_work(service), seconds=20, every=0.002)
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    assert not all(ready(service, token, path) for path in paths)

    wait_for(lambda: lost(service) > before, seconds=30)
    said = logs.parsed(logs.of_processes(service.log, "images"))
    lost_lines = [
        line for line in said if line["request_id"] == "a-killed-one" and "WorkerLostError" in line["message"]
    ]
    assert {line["task"] for line in lost_lines} == {RENDITIONS}
    expire_claims(service)
    wait_for(lambda: all(ready(service, token, path) for path in paths), seconds=60, every=0.5)
    assert service.children_of(worker)
    assert not service.children_of(worker) & killed


def test_a_mail_does_not_wait_behind_pictures(service: Service, token: str, mailbox: MailServer) -> None:
    product = new_product(service, token, "Much photographed")
    paths = []
    images = service.pid_of("images")
    os.kill(images, signal.SIGSTOP)  # as if all its processes were busy
    try:
        paths = [upload(service, token, product, pictures.jpeg(80 + n)) for n in range(5)]
        known = len(mailbox.mails)
        account = {"username": "paula", "email": "p@example.com", "password": PASSWORD, "repeat_password": PASSWORD}
        assert service.request("POST", "/register/", json=account).status_code == 201
        wait_for(lambda: len(mailbox.mails) > known, seconds=10)
        assert not any(ready(service, token, path) for path in paths)
    finally:
        os.kill(images, signal.SIGCONT)
    wait_for(lambda: all(ready(service, token, path) for path in paths), seconds=30)


def test_a_process_above_the_memory_limit_is_replaced_after_its_task(service: Service, token: str) -> None:
    images, said = service.pid_of("images"), len(service.log)
    before = service.children_of(images)
    poster = pictures.encode(Image.new("RGBA", (7000, 7000), "red"), "PNG", compress_level=1)
    path = upload(service, token, new_product(service, token, "Poster"), poster)
    wait_for(lambda: ready(service, token, path), seconds=30)
    wait_for(lambda: before - service.children_of(images), seconds=20)
    wait_for(lambda: len(service.children_of(images)) == len(before), seconds=20)
    assert not re.search("WorkerLost|exited with", service.log[said:])


def test_a_killed_web_process_comes_back(service: Service) -> None:
    web = service.pid_of("web")
    killed = service.children_of(web)
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: len(service.children_of(web) - killed) == len(killed), seconds=15)
    wait_for(service.is_reachable, seconds=10)


def test_the_queue_on_disk_is_empty_when_all_is_done(service: Service) -> None:
    queue = Path(service.data_dir) / "broker" / "queue"
    wait_for(lambda: not list(queue.iterdir()), seconds=20)

"""Pictures in the running service: the Procfile's workers and beat, Gunicorn, MySQL and Redis. See images.py."""

import argparse
import http.client
import json
import os
import secrets
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis
from tqdm import tqdm

from benchmarks import shop
from benchmarks.figures import spread
from benchmarks.processes import end
from productbackend.embedded.supervisor import read_procfile

SENDERS = 4
OVERHEAD_MAX = 0.150  # seconds that an upload may take in addition to the bare renditions
READ_EVERY = 0.05
PRODUCTS = 1_000
Bare = Callable[[int], float]


class Uploader:
    """A staff client with one connection."""

    def __init__(self, port: int, token: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self.headers = {"Authorization": f"Bearer {token}"}

    def ask(self, method: str, path: str, body: bytes | None = None, kind: str = "") -> Any:
        headers = self.headers | ({"Content-Type": kind} if kind else {})
        self.connection.request(method, path, body, headers)
        response = self.connection.getresponse()
        data = response.read()
        assert response.status in (200, 201), (path, response.status, data[:500])
        return json.loads(data)

    def upload(self, product: int, path: Path) -> str:
        """Upload a picture. Returns the path of the new image."""
        boundary = secrets.token_hex(8)
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="image"; filename="{path.name}"\r\n\r\n'
        body = head.encode() + path.read_bytes() + f"\r\n--{boundary}--\r\n".encode()
        image = self.ask("POST", f"/products/{product}/images/", body, f"multipart/form-data; boundary={boundary}")
        return f"/products/{product}/images/{image['id']}/"


class Service:
    """Gunicorn and the other processes of the Procfile."""

    def __init__(self, options: argparse.Namespace) -> None:
        from accounts.models import User
        from accounts.tokens import issue
        from benchmarks.products import grow, make_base

        self.options = options
        self.log = Path(os.environ["DATA_DIR"], "workers.log")
        self.token = issue(User.objects.create_superuser("boss", "boss@example.com")).access
        make_base()
        grow(options, os.environ["MYSQL_DATABASE"], PRODUCTS)

    @contextmanager
    def running(self) -> Iterator["Service"]:
        commands = read_procfile(shop.ROOT / "Procfile")
        environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
        with shop.Web() as web, self.log.open("ab") as log:
            self.port = web.port
            started = [
                subprocess.Popen(
                    commands[name], shell=True, cwd=shop.ROOT, env=environment, stdout=log, stderr=log,
                    start_new_session=True,
                )
                for name in ("worker", "images", "beat")
            ]  # fmt: skip
            try:
                self.warm_up()
                yield self
            finally:
                end(started)

    def warm_up(self) -> None:
        """Wait until every process has processed a picture."""
        from products.models import Product, ProductImage

        self.products = list(Product.objects.order_by("pk").values_list("pk", flat=True))
        self.last_of_the_demo = ProductImage.objects.order_by("-pk").values_list("pk", flat=True)[0]
        uploader = self.uploader()
        for number in range(4):
            path = Path(os.environ["DATA_DIR"], f"warm-{secrets.token_hex(4)}.jpg")
            _small(number).save(path)
            wait_until_ready(uploader, uploader.upload(self.products[-1], path))

    def uploader(self) -> Uploader:
        return Uploader(self.port, self.token)

    def uploaded(self) -> Any:
        from products.models import ProductImage

        return ProductImage.objects.filter(pk__gt=self.last_of_the_demo).order_by("pk")

    def pending(self) -> int:
        return int(self.uploaded().filter(status="pending").count())

    def remove_images(self) -> None:
        """Delete all uploaded images with their files."""
        for image in self.uploaded():
            image.delete()


def _small(number: int) -> Any:
    from PIL import Image

    return Image.new("RGB", (700, 500), (number, secrets.randbelow(256), secrets.randbelow(256)))


def wait_until_ready(uploader: Uploader, image: str, seconds: float = 60) -> None:
    end_at = time.monotonic() + seconds
    while True:
        found = uploader.ask("GET", image)
        if found["status"] == "ready":
            return
        assert found["status"] == "pending", found
        assert time.monotonic() < end_at, found
        time.sleep(0.01)


def idle(service: Service, paths: Sequence[Path], bare: Bare) -> None:
    """Time from the first byte of an upload until the image is ready, without other load."""
    uploader, took, work = service.uploader(), [], []
    for round_ in tqdm(range(service.options.rounds), desc="upload to ready", unit="round", disable=None):
        work.append(1 / bare(1))
        for path in paths[:20]:
            began = time.perf_counter()
            wait_until_ready(uploader, uploader.upload(service.products[round_], path))
            took.append(time.perf_counter() - began)
    middle, alone = statistics.median(took), statistics.median(work)
    print("\n| upload to ready, idle | ms | aim |\n| --- | --- | --- |")
    print(f"| the bare renditions | {alone * 1000:.0f} | |")
    print(
        f"| over HTTP, worker and broker: median (spread) | {middle * 1000:.0f} "
        f"({min(took) * 1000:.0f} to {max(took) * 1000:.0f}) | ≤ {(alone + OVERHEAD_MAX) * 1000:.0f} |",
        flush=True,
    )


def burst(service: Service, paths: Sequence[Path], bare: Bare) -> None:
    """Consecutive uploads, and the rate of the workers after the response to the last one."""
    rates, alone, pending, uploads = [], [], [], []
    for _ in tqdm(range(service.options.rounds), desc="burst", unit="round", disable=None):
        alone.append(bare(2))
        service.remove_images()
        began = time.perf_counter()
        send_all(service, paths)
        responded, waiting = time.perf_counter(), service.pending()
        uploads.append(service.options.uploads / (responded - began))
        pending.append(waiting)
        while service.pending():
            time.sleep(0.05)
        rates.append(waiting / (time.perf_counter() - responded))
    shares = [rate / bare_rate for rate, bare_rate in zip(rates, alone, strict=True)]
    print(f"\n| {service.options.uploads} uploads in a row, {SENDERS} concurrently | | aim |\n| --- | --- | --- |")
    print(f"| uploads a second | {spread(uploads, 1)} | |")
    print(f"| waiting at the last 201 | {spread(pending, 1)} | |")
    print(f"| images a second from then on | {spread(rates, 1)} | |")
    print(f"| the bare pipeline, two processes | {spread(alone, 1)} | |")
    each = ", ".join(f"{share:.2f}" for share in shares)
    print(f"| of it, each round by itself | {each} | ≥ 0.8 |", flush=True)


def send_all(service: Service, paths: Sequence[Path]) -> None:
    jobs = iter([(service.products[number // len(paths)], paths[number % len(paths)])
                 for number in range(service.options.uploads)])  # fmt: skip
    lock = threading.Lock()

    def send() -> None:
        uploader = service.uploader()
        while True:
            with lock:
                job = next(jobs, None)
            if job is None:
                return
            uploader.upload(*job)

    threads = [threading.Thread(target=send) for _ in range(SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def read(service: Service, seconds: float) -> dict[str, list[float]]:
    """Latencies in ms of a client that alternates between a cached page and an uncached one."""
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=60)
    found: dict[str, list[float]] = {"cached": [], "uncached": []}
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        unseen = f"/products/?max_price={secrets.randbelow(9_000) + 100}.{secrets.randbelow(100):02}"
        for kind, path in (("cached", "/products/"), ("uncached", unseen)):
            began = time.perf_counter()
            connection.request("GET", path)
            response = connection.getresponse()
            response.read()
            assert response.status == 200, (path, response.status)
            found[kind].append((time.perf_counter() - began) * 1000)
            time.sleep(READ_EVERY)
    return found


def reads(service: Service, paths: Sequence[Path], bare: Bare) -> None:
    """A client's p95 with workers under full load, and with busy loops of the same niceness."""
    by_load: dict[str, dict[str, list[float]]] = {
        name: {"cached": [], "uncached": []} for name in ("nothing", "busy loops", "workers")
    }
    for _ in tqdm(range(service.options.rounds), desc="reads", unit="round", disable=None):
        record_p95(by_load["nothing"], read(service, service.options.seconds))
        loops = [subprocess.Popen(["nice", "-n", "5", sys.executable, "-c", "while True: pass"]) for _ in range(2)]
        try:
            record_p95(by_load["busy loops"], read(service, service.options.seconds))
        finally:
            end(loops)
        send_all(service, paths)
        reprocess(service)
        record_p95(by_load["workers"], read(service, service.options.seconds))
        assert service.pending(), "the workers became idle: use more --uploads, or fewer --seconds"
        service.remove_images()
    print("\n| a catalogue page, p95 in ms | idle | with busy loops | with workers | ratio | aim |")
    print("| --- | --- | --- | --- | --- | --- |")
    for kind, label in (("cached", "the first, which is cached"), ("uncached", "an uncached one")):
        nothing, loops_, workers = (by_load[name][kind] for name in ("nothing", "busy loops", "workers"))
        ratio = statistics.median(workers) / statistics.median(loops_)
        print(
            f"| {label} | {spread(nothing, 1)} | {spread(loops_, 1)} | {spread(workers, 1)} | {ratio:.2f} | ≤ 1.5 |",
            flush=True,
        )


def record_p95(rounds: dict[str, list[float]], found: dict[str, list[float]]) -> None:
    for kind, values in found.items():
        rounds[kind].append(sorted(values)[int(len(values) * 0.95)])


def reprocess(service: Service) -> None:
    """Dispatch the tasks of all ready images again, after the pending ones."""
    from products.images import lifecycle

    ids = list(service.uploaded().filter(status="ready").values_list("pk", flat=True))
    service.uploaded().filter(pk__in=ids).update(status="pending", attempts=0, claimed_at=None)
    for pk in ids:
        lifecycle.dispatch_task(pk)


def empty_redis(options: argparse.Namespace) -> None:
    for database in (options.redis_database, options.redis_database + 1):
        redis.Redis(port=options.redis_port, db=database).flushdb()


PARTS: dict[str, Callable[[Service, Sequence[Path], Bare], None]] = {"idle": idle, "burst": burst, "reads": reads}


def run(options: argparse.Namespace, paths: Sequence[Path], chosen: Sequence[str], bare: Bare) -> None:
    empty_redis(options)
    try:
        with Service(options).running() as service:
            for part in chosen:
                PARTS[part](service, paths, bare)
    finally:
        empty_redis(options)

"""A crowd uses the stack while its parts fail at random: `python -m tests.containers.soak [--minutes 60] [--seed 1]`.

Containers are killed, paused, cut off from each other and slowed down; clocks jump; Redis has no memory and the disk of
the pictures no room; the payment provider loses, doubles and delays its events all the time, and is unreachable at
times. Then the books are compared. It prints a table; the exit status is 1 if something that must be 0 is not. It needs
what tests.containers.run needs, and a C compiler. A seed repeats the faults and what the customers do, not the moments.
"""

import argparse
import json
import logging
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import requests
from aiosmtpd.controller import Controller

from benchmarks.mailbox import Mailbox
from benchmarks.provider_process import FAULTS, inject
from tests.containers.crowd import Caller, Crowd, Record, running_crowd
from tests.containers.faults import Faults
from tests.containers.provider import provider
from tests.containers.reckoning import Reckoning
from tests.containers.shoppers import check_pictures, register
from tests.containers.stack import (
    BASE_DIR,
    CHECKOUT,
    SETTINGS,
    Failed,
    check_out,
    compose,
    containers,
    docker,
    manage,
    request,
    run,
    say,
    sql,
    step,
)
from tests.containers.two_hosts import own_address
from tests.ports import free_port
from tests.waiting import wait_for

SCALES = {"web": 2, "worker": 2, "beat": 2}
SERVICES = (*SCALES, "db", "redis", "cache", "images", "proxy")
DISK = "size=1g,uid=10001,mode=755"  # of the pictures; small enough to be filled
OVERRIDE = """
x-clock: &clock
  volumes: ["{clock}:/clock.so:ro"]
  environment: {{LD_PRELOAD: /clock.so}}
services:
  web: *clock
  worker: *clock
  beat: *clock
volumes:
  media: {{driver_opts: {{type: none, o: bind, device: {folder}}}}}
"""
LOG = BASE_DIR / "var" / "soak.log"
CALM = 4, 14  # seconds between two faults
BACK_WITHIN = 60  # seconds after the last fault


def soak(options: argparse.Namespace, mailbox: Mailbox, disk: Path) -> dict[str, int]:
    """Let the crowd and the faults happen; return what must be 0."""
    with provider() as (folder, relay):
        scales = (word for name, count in SCALES.items() for word in ("--scale", f"{name}={count}"))
        compose("up", "--detach", "--wait", *scales)
        manage("make_feeds")
        faults = Faults(options.seed, relay, disk)
        with running_crowd(options.seed) as crowd:
            probe = Caller({"Authorization": f"Bearer {register('probe')}"}, Record(0))
            inject(FAULTS | {"seed": options.seed})
            let_fail(options, faults, crowd)
            late, back_after = wait_until_back(faults.happened[-1].ended, crowd, probe, mailbox)
        reckoning = Reckoning(crowd.record, faults, mailbox)
        counts = {"parts not back within a minute": late} | reckoning.counts(folder)
        reckoning.report(counts, seed=options.seed, minutes=options.minutes, back=f"after {back_after:.0f} s")
    return counts


def let_fail(options: argparse.Namespace, faults: Faults, crowd: Crowd) -> None:
    """Let one fault after another happen, each after some calm."""
    until = time.monotonic() + options.minutes * 60
    calm = random.Random(f"{options.seed} calm")
    for fault in faults.drawn():
        pause = time.monotonic() + calm.uniform(*CALM)
        expire_overdue(crowd.record)
        time.sleep(max(0.0, pause - time.monotonic()))
        if time.monotonic() > until:
            return
        this = fault()
        say(f"  {time.strftime('%X')} {this.name}, {this.ended - this.began:.1f} s")


def expire_overdue(record: Record) -> None:
    """Let the time to pay be over for the orders of customers who left."""
    numbers = record.seen.take_overdue()
    listed = ", ".join(f"'{number}'" for number in numbers)
    try:
        if numbers:
            where = f"status = 'pending' AND number IN ({listed})"
            sql(f"UPDATE orders_order SET expires_at = UTC_TIMESTAMP(6) WHERE {where}")
    except Failed:  # the database restarts
        for number in numbers:
            record.seen.let_expire(number)


def wait_until_back(since: float, crowd: Crowd, probe: Caller, mailbox: Mailbox) -> tuple[int, float]:
    """How many parts were not back within BACK_WITHIN of the last fault, and after how many seconds all were."""

    def is_healthy() -> bool:
        every = [each for name in SERVICES for each in containers(name)]
        states = [json.loads(docker("inspect", "--format", "{{json .State}}", each)) for each in every]
        return all(state["Running"] and state["Health"]["Status"] == "healthy" for state in states)

    def is_ready() -> bool:
        with suppress(requests.RequestException, KeyError):
            return bool(request("GET", "/health/ready/").json()["status"] == "ok")
        return False

    def sells() -> bool:
        _, item = probe.call("POST", "/cart-items/", {"product": crowd.products[0], "quantity": 1})
        return probe.call("POST", f"/carts/{item['cart']}/checkout/")[0] == 201

    def mails_it() -> bool:
        return "probe@example.com" in mailbox.accepted

    def draws() -> bool:
        check_pictures({crowd.record.pictures[-1]}, seconds=BACK_WITHIN)
        return True

    def every_worker_responds() -> bool:
        said = compose("exec", "-T", "web", "python", "manage.py", "doctor", "--url", "http://proxy", check=False)
        return f"{SCALES['worker']} of the queue celery" in said and "1 of the queue images" in said

    late = 0
    for is_back in (is_healthy, is_ready, sells, mails_it, draws, every_worker_responds):
        name, left = is_back.__name__, since + BACK_WITHIN - time.monotonic()
        try:
            wait_for(is_back, seconds=max(1.0, left), every=0.5, name=name)
            say(f"  {name}, {time.monotonic() - since:.0f} s after the last fault")
        except AssertionError as error:
            say(f"  {error}")
            late += 1
    return late, time.monotonic() - since


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    check_out()
    mailbox, host, port = Mailbox(is_faulty=False), own_address(), free_port()
    SETTINGS.update(EMAIL_HOST=host, EMAIL_PORT=str(port), GUEST_CHECKOUT="true", THROTTLE_GUESTS="100000/min")
    SETTINGS["SHOP_PRODUCT_URL"] = "https://shop.example/p/{slug}"
    logging.getLogger("mail.log").setLevel(logging.WARNING)
    controller = Controller(mailbox, hostname=host, port=port)
    controller.start()
    with special_stack() as disk:
        try:
            step("build", "docker compose build", lambda: compose("build", "--quiet", "web"))
            return int(any(soak(options, mailbox, disk).values()))
        finally:
            controller.stop()
            LOG.parent.mkdir(exist_ok=True)
            LOG.write_text(compose("logs", "--no-color", "--timestamps", check=False))
            say(f"The logs of all containers are in {LOG}.")
            compose("down", "--volumes", "--timeout", "20", check=False)


@contextmanager
def special_stack() -> Iterator[Path]:
    """Let the stack have clocks that can jump, and a disk of the pictures that can be filled; yield its folder."""
    clock = CHECKOUT / "clock.so"
    run("cc", "-shared", "-fPIC", "-O2", "-o", str(clock), "tests/containers/clock.c")
    with tempfile.TemporaryDirectory(prefix="productbackend-media-") as folder:
        Path(CHECKOUT, "docker-compose.override.yml").write_text(OVERRIDE.format(folder=folder, clock=clock))
        run("mount", "-t", "tmpfs", "-o", DISK, "tmpfs", folder)
        try:
            yield Path(folder)
        finally:
            run("umount", folder)
            shutil.rmtree(CHECKOUT)


if __name__ == "__main__":
    sys.exit(main())

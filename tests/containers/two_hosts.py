"""Two of each: two web hosts, two of each kind of worker and two beats, and one of each killed at its work."""

import os
import signal
import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message
from typing import Any

from aiosmtpd.controller import Controller

from tests.containers.shoppers import at_work, check_pictures
from tests.containers.stack import (
    SETTINGS,
    compose,
    containers,
    expect,
    logs,
    main_pid,
    manage,
    number,
    say,
    sql,
    wait_for,
)

EACH = ("web", "worker", "images", "beat")
WELCOMED = 300
WELCOME_JOB = "accounts.tasks.send_welcome_mails"

# Customers of the day before yesterday, who are owed the welcome mail, and the minute at which it is due.
PREPARE = """
from datetime import timedelta
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, PeriodicTask
from accounts.models import User
joined = timezone.now() - timedelta(days=2)
User.objects.bulk_create(
    User(username=name, username_key=name, email=f"{{name}}@example.com", date_joined=joined)
    for name in (f"early-{{n}}" for n in range({count}))
)
job = PeriodicTask.objects.get(name="welcome mail")
at = timezone.now() + timedelta(seconds=120)
job.crontab, _ = CrontabSchedule.objects.get_or_create(hour=str(at.hour), minute=str(at.minute), timezone="UTC")
job.save()
print((at.replace(second=0, microsecond=0) - timezone.now()).total_seconds())
"""


class Mailbox:
    """A mail server for the whole stack, and what it took in: a list, for what comes twice must show."""

    def __init__(self) -> None:
        self.mails: list[Message] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.mails.append(message_from_bytes(envelope.content))
        return "250 OK"


def work() -> None:
    with mailbox() as box:
        scales = [word for service in EACH for word in ("--scale", f"{service}=2")]
        compose("up", "--detach", "--wait", *scales)
        for service in EACH:
            expect(len(containers(service)) == 2, f"two of {service} were wanted")
        first = number("SELECT COALESCE(MAX(id), 0) FROM outbox_mail")
        due_in = float(manage("shell", "--verbosity", "0", "-c", PREPARE.format(count=WELCOMED)).splitlines()[-1])
        due_at = time.monotonic() + due_in
        say(f"two of each: the welcome mail of {WELCOMED} customers is due in {due_in:.0f} s")
        with at_work(shoppers=6, uploads_every=1, asks_again=True) as load:
            for service in ("images", "web"):
                time.sleep(8)
                kill(service)
            time.sleep(max(0, due_at - time.monotonic()) + 4)
            for service in ("beat", "worker"):
                kill(service)
            time.sleep(20)
        load.check_books()
        expect(len(load.orders) > 10, f"only {len(load.orders)} orders were placed")
        check_pictures(load.pictures)
        wait_for("every mail", nothing_is_owed, seconds=240)
        check_once(box, first)
        orders = number("SELECT COUNT(*) FROM orders_order WHERE placed_by_id IS NOT NULL")
        carts = number("SELECT COUNT(DISTINCT cart_id) FROM orders_order WHERE placed_by_id IS NOT NULL")
        expect(orders == carts, f"{orders} orders of {carts} carts")
        runs = logs("worker").count(WELCOME_JOB)
        expect(runs >= 2, f"the daily job ran {runs} times: two beats were to ask for it")
        say(f"two of each: the beats had the daily job run {runs} times, and each customer got one mail")
        say(f"two of each: {len(load.orders)} orders, {len(load.pictures)} pictures, none lost and none twice")
    forget_the_mailbox()


@contextmanager
def mailbox() -> Iterator[Mailbox]:
    """One that the containers reach at this host's own address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # sends nothing; it only looks which way it would go
        host = probe.getsockname()[0]
    with socket.socket() as listener:
        listener.bind((host, 0))
        port = listener.getsockname()[1]
    box = Mailbox()
    controller = Controller(box, hostname=host, port=port)
    controller.start()
    SETTINGS.update(EMAIL_HOST=host, EMAIL_PORT=str(port))
    try:
        yield box
    finally:
        controller.stop()


def forget_the_mailbox() -> None:
    del SETTINGS["EMAIL_HOST"], SETTINGS["EMAIL_PORT"]
    compose("up", "--detach", "--wait")


def kill(service: str) -> None:
    """The first process of one of the two, with all that it had begun."""
    container = containers(service)[0]
    os.kill(main_pid(container), signal.SIGKILL)
    say(f"two of each: kill -9 of one {service}")


def nothing_is_owed() -> bool:
    return number("SELECT COUNT(*) FROM outbox_mail WHERE status = 'pending'") == 0


def check_once(box: Mailbox, first: int) -> None:
    """Each mail has arrived, and once; the outbox's one window (docs/adr/0004-outbox.md) shows in the Message-ID."""
    rows = sql(f"SELECT id, status, kind, recipient, reference FROM outbox_mail WHERE id > {first}")
    expect({status for _, status, *_ in rows} == {"sent"}, f"statuses: {Counter(status for _, status, *_ in rows)}")
    twice = [reason for reason, count in Counter(tuple(reason) for _, _, *reason in rows).items() if count > 1]
    expect(not twice, f"owed twice: {twice[:3]}")
    welcomed = {recipient for _, _, kind, recipient, _ in rows if kind == "welcome" and recipient.startswith("early-")}
    expect(len(welcomed) == WELCOMED, f"{len(welcomed)} of {WELCOMED} customers are welcomed")
    copies = Counter(str(mail["Message-ID"])[1:].partition(".")[0] for mail in box.mails)
    owed = {row[0] for row in rows}
    expect(set(copies) == owed, f"{len(owed)} mails were sent, {len(copies)} arrived")
    window = copies.total() - len(copies)
    say(f"two of each: {len(owed)} mails, {len(welcomed)} of them welcomes; {window} came twice by the known window")
    # A killed pool had two mails in hand at most.
    expect(window <= 2, f"{window} mails came twice")

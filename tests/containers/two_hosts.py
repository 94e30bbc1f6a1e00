"""Two web hosts, two workers of each kind and two beats, of which one of each is killed during its work."""

import os
import signal
import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from tests.containers.shoppers import check_pictures, running_load
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
)
from tests.mail_server import MailServer
from tests.waiting import wait_for

EACH = ("web", "worker", "images", "beat")
WELCOMED = 300
WELCOME_JOB = "accounts.tasks.send_welcome_mails"

# Customers of the day before yesterday, to whom the welcome mail is due, and the minute at which it is due.
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
        with running_load(shoppers=6, uploads_every=1, asks_again=True) as load:
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
        wait_for(outbox_is_empty, seconds=240, every=0.5, name="every mail")
        check_once(box, first)
        orders = number("SELECT COUNT(*) FROM orders_order WHERE placed_by_id IS NOT NULL")
        carts = number("SELECT COUNT(DISTINCT cart_id) FROM orders_order WHERE placed_by_id IS NOT NULL")
        expect(orders == carts, f"{orders} orders of {carts} carts")
        runs = logs("worker").count(WELCOME_JOB)
        expect(runs >= 2, f"the daily job ran {runs} times: two beats were to ask for it")
        say(f"two of each: the beats had the daily job run {runs} times, and each customer got one mail")
        say(f"two of each: {len(load.orders)} orders, {len(load.pictures)} pictures, none lost and none twice")
    remove_mailbox()


@contextmanager
def mailbox() -> Iterator[MailServer]:
    """A mail server that the containers reach at this host's address."""
    host = own_address()
    with MailServer(host) as box:
        SETTINGS.update(EMAIL_HOST=host, EMAIL_PORT=str(box.port))
        yield box


def own_address() -> str:
    """The address of this host, which containers reach."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # UDP: sends nothing, only selects the local address
        return str(probe.getsockname()[0])


def remove_mailbox() -> None:
    del SETTINGS["EMAIL_HOST"], SETTINGS["EMAIL_PORT"]
    compose("up", "--detach", "--wait")


def kill(service: str) -> None:
    """Kill the main process of one of the two containers, with its children."""
    container = containers(service)[0]
    os.kill(main_pid(container), signal.SIGKILL)
    say(f"two of each: kill -9 of one {service}")


def outbox_is_empty() -> bool:
    return number("SELECT COUNT(*) FROM outbox_mail WHERE status = 'pending'") == 0


def check_once(box: MailServer, first: int) -> None:
    """Each mail arrived once, except in the known window (docs/adr/0004-outbox.md), which the Message-ID shows."""
    rows = sql(f"SELECT id, status, kind, recipient, reference FROM outbox_mail WHERE id > {first}")
    expect({status for _, status, *_ in rows} == {"sent"}, f"statuses: {Counter(status for _, status, *_ in rows)}")
    twice = [reason for reason, count in Counter(tuple(reason) for _, _, *reason in rows).items() if count > 1]
    expect(not twice, f"enqueued twice: {twice[:3]}")
    welcomed = {recipient for _, _, kind, recipient, _ in rows if kind == "welcome" and recipient.startswith("early-")}
    expect(len(welcomed) == WELCOMED, f"{len(welcomed)} of {WELCOMED} customers are welcomed")
    copies = Counter(str(mail["Message-ID"])[1:].partition(".")[0] for mail in box.mails)
    enqueued = {row[0] for row in rows}
    expect(set(copies) == enqueued, f"{len(enqueued)} mails were sent, {len(copies)} arrived")
    window = copies.total() - len(copies)
    say(
        f"two of each: {len(enqueued)} mails, {len(welcomed)} of them welcomes; {window} came twice by the known window"
    )
    # A killed pool was sending two mails at most.
    expect(window <= 2, f"{window} mails came twice")

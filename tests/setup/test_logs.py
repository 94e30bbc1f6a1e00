"""Everything that a shopping trip logs, from real processes, is JSON and bears no secret."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from productbackend.logs import redacted
from tests.setup import logs
from tests.setup.mailbox import Mailbox
from tests.setup.service import Service, wait_for
from tests.setup.trip import ADDRESS, IDS, LATE, REFUSED, Trip

pytestmark = [pytest.mark.xdist_group("worker"), pytest.mark.embedded]

TRIGGERS = f"""
    CREATE TRIGGER refuse BEFORE INSERT ON outbox_mail WHEN NEW.recipient = '{REFUSED}'
    BEGIN SELECT RAISE(ABORT, 'Duplicate entry ''{REFUSED}'' for key'); END;
    CREATE TRIGGER be_late BEFORE UPDATE ON outbox_mail WHEN NEW.recipient = '{LATE}' AND NEW.status = 'sent'
    BEGIN SELECT RAISE(ABORT, '<{LATE}> is late'); END;
"""


@contextmanager
def triggers(service: Service) -> Iterator[None]:
    """The database fails, and its error names whom it failed at."""
    with closing(sqlite3.connect(service.data_dir / "db.sqlite3", timeout=20)) as database:
        database.executescript(TRIGGERS)
        try:
            yield
        finally:
            database.executescript("DROP TRIGGER refuse; DROP TRIGGER be_late")


@pytest.fixture(scope="module")
def trip(service: Service, mailbox: Mailbox) -> Trip:
    trip = Trip(service.url, service.request, lambda: mailbox.mails)
    trip.go()
    with triggers(service):
        trip.fail()
        wait_for(lambda: [line for line in of(service, IDS["late"]) if line["exception"]], seconds=30)
    return trip


def of(service: Service, request_id: str) -> list[dict[str, Any]]:
    """The lines of one request, and of the tasks that it caused."""
    return [line for line in logs.parsed(logs.of_processes(service.log)) if line["request_id"] == request_id]


def test_each_line_is_json_and_none_has_a_secret(service: Service, trip: Trip) -> None:
    secrets = trip.secrets | {service.environment["SECRET_KEY"]}
    lines = list(logs.of_processes(service.log))
    assert len(lines) > 40
    assert not logs.faults(lines, secrets)
    assert "@" not in "".join(line["message"] for line in logs.parsed(lines))


def test_a_requests_line_says_what_it_was(service: Service, trip: Trip) -> None:
    (checkout,) = [line for line in of(service, IDS["checkout"]) if line["logger"] == "productbackend.access"]
    assert checkout["message"].endswith(" 201")
    assert (checkout["method"], checkout["route"]) == ("POST", "/carts/{id}/checkout/")
    assert checkout["path"].startswith("/carts/")
    assert checkout["user_id"] == trip.user_id
    assert checkout["duration_ms"] > 0
    reads = [line for line in logs.parsed(logs.of_processes(service.log, "web")) if line.get("cache")]
    assert {"hit", "miss"} <= {line["cache"] for line in reads}
    assert "/products/{id}/" in {line["route"] for line in reads}


@pytest.mark.parametrize(
    ("step", "task"),
    [
        ("register", "outbox.tasks.send"),
        ("upload", "products.tasks.make_renditions"),
        ("checkout", "outbox.tasks.send"),
        ("late", "outbox.tasks.send"),
    ],
)
def test_a_tasks_lines_bear_the_request_that_caused_it(service: Service, trip: Trip, step: str, task: str) -> None:
    lines = [line for line in of(service, IDS[step]) if line["task"]]
    assert {line["task"] for line in lines} == {task}
    assert all(line["task_id"] and line["duration_ms"] > 0 for line in lines)
    if step == "checkout":
        assert {line["user_id"] for line in lines} == {trip.user_id}


@pytest.mark.parametrize(("step", "said"), [("failure", "Internal Server Error"), ("late", "IntegrityError")])
def test_a_failure_is_told_in_full_but_for_the_person(service: Service, trip: Trip, step: str, said: str) -> None:
    (line,) = [line for line in of(service, IDS[step]) if line["exception"]]
    assert line["level"] == "ERROR"
    assert said in line["message"]
    assert "Traceback" in line["exception"]
    assert "IntegrityError" in line["exception"]
    assert "[address]" in line["exception"]


def test_what_reads_the_lines_finds_what_is_wrong_with_them() -> None:
    good = dict.fromkeys(logs.FIELDS) | {
        "time": "2026-01-01T00:00:00Z", "level": "INFO", "logger": "x", "message": "GET /", "process": 1
    }  # fmt: skip
    assert not logs.faults([json.dumps(good)], [ADDRESS])
    for bad in (
        json.dumps(good | {"message": f"to {ADDRESS}"}),
        json.dumps(good | {"request_id": 7}),
        json.dumps({name: value for name, value in good.items() if name != "task_id"}),
        "Traceback (most recent call last):",
        "[]",
    ):
        assert len(logs.faults([bad], [ADDRESS])) == 1, bad


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("GET /products/17/ 200", "GET /products/17/ 200"),
        ("Duplicate entry 'a@b.c' for key 'email'", "Duplicate entry '[address]' for key 'email'"),
        ("{'a@b.c': (550, b'<a@b.c> is unknown')}", "{'[address]': (550, b'<[address]> is unknown')}"),
        ("/nobody/a%40b.c/", "/nobody/[address]/"),
        ("GET /email/confirm/?token=abc:def HTTP/1.1", "GET /email/confirm/[query] HTTP/1.1"),
        ("'AUTHORIZATION : Bearer abc'", "'[header]"),
        ('{"password": "correct horse", "name": "x"}', '{"[secret], "name": "x"}'),
        ("a token eyJhbGciOi.eyJ0b2tlbl90.abc-_d of mine", "a token [jwt] of mine"),
        ("for 'x'@'10.0.0.1' (using password: YES)", "for 'x'@'10.0.0.1' (using password: YES)"),
    ],
)
def test_what_others_quote_is_taken_out(text: str, expected: str) -> None:
    assert redacted(text) == expected

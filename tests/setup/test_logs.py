"""All log lines of a shopping trip, from real processes, are JSON without secrets."""

import json
import logging
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from productbackend.observability.logs import JSONFormatter, TextFormatter, redact, redact_traceback
from tests.mail_server import MailServer
from tests.setup import logs
from tests.setup.service import Service
from tests.setup.trip import ADDRESS, IDS, LATE, REFUSED, Trip
from tests.waiting import wait_for

pytestmark = [pytest.mark.xdist_group("worker"), pytest.mark.embedded]

TRIGGERS = f"""
    CREATE TRIGGER refuse BEFORE INSERT ON outbox_mail WHEN NEW.recipient = '{REFUSED}'
    BEGIN SELECT RAISE(ABORT, 'Duplicate entry ''{REFUSED}'' for key'); END;
    CREATE TRIGGER be_late BEFORE UPDATE ON outbox_mail WHEN NEW.recipient = '{LATE}' AND NEW.status = 'sent'
    BEGIN SELECT RAISE(ABORT, '<{LATE}> is late'); END;
"""


@contextmanager
def triggers(service: Service) -> Iterator[None]:
    """Make the database fail with an error that quotes an address."""
    with closing(sqlite3.connect(service.data_dir / "db.sqlite3", timeout=20)) as database:
        database.executescript(TRIGGERS)
        try:
            yield
        finally:
            database.executescript("DROP TRIGGER refuse; DROP TRIGGER be_late")


@pytest.fixture(scope="module")
def trip(service: Service, mailbox: MailServer) -> Trip:
    trip = Trip(service.url, service.request, lambda: mailbox.mails)
    trip.go()
    with triggers(service):
        trip.fail()
        wait_for(lambda: [line for line in of(service, IDS["late"]) if line["exception"]], seconds=30)
    return trip


def of(service: Service, request_id: str) -> list[dict[str, Any]]:
    """The lines of one request and of its tasks."""
    return [line for line in logs.parsed(logs.of_processes(service.log)) if line["request_id"] == request_id]


def test_each_line_is_json_and_none_has_a_secret(service: Service, trip: Trip) -> None:
    secrets = trip.secrets | {service.environment["SECRET_KEY"]}
    lines = list(logs.of_processes(service.log))
    assert len(lines) > 40
    assert not logs.faults(lines, secrets)
    assert "@" not in "".join(line["message"] for line in logs.parsed(lines))


def test_the_line_of_a_request(service: Service, trip: Trip) -> None:
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
def test_the_lines_of_a_task_have_the_request_id(service: Service, trip: Trip, step: str, task: str) -> None:
    lines = [line for line in of(service, IDS[step]) if line["task"]]
    assert {line["task"] for line in lines} == {task}
    assert all(line["task_id"] and line["duration_ms"] > 0 for line in lines)
    if step == "checkout":
        assert {line["user_id"] for line in lines} == {trip.user_id}


@pytest.mark.parametrize(("step", "said"), [("failure", "Internal Server Error"), ("late", "IntegrityError")])
def test_a_failure_is_logged_without_addresses(service: Service, trip: Trip, step: str, said: str) -> None:
    (line,) = [line for line in of(service, IDS[step]) if line["exception"]]
    assert line["level"] == "ERROR"
    assert said in line["message"]
    assert "Traceback" in line["exception"]
    assert "IntegrityError" in line["exception"]
    assert "[address]" in line["exception"]


def test_faults_finds_faulty_lines() -> None:
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
def test_secrets_and_addresses_are_redacted(text: str, expected: str) -> None:
    assert redact(text) == expected


# Each begins like something that is redacted, and ends before it matches.
RUNS = ["a-", "a@", "@", "a%40", "eyJ", "eyJ.", "eyJa.b", "password", "password-", "password ", "token: ",
        "token:\"", "?", "? ", "cookie", "cookie ", "cookie: ",
        " ", "\t", "-", "_", ".", "\\", "'", "é", "\U0001f600"]  # fmt: skip


@pytest.mark.parametrize("end", ["", ":", "@", " x@y"])
def test_redaction_takes_linear_time(end: str) -> None:
    """Of uncut text, since cut text is short."""

    def seconds(run: str, size: int) -> float:
        text = run * (size // len(run)) + end
        began = time.thread_time()
        redact(text, size + 10)
        return time.thread_time() - began

    for run in RUNS:  # quadratic time would be ten seconds
        assert seconds(run, 40_000) < 0.04 or min(seconds(run, 40_000) for _ in range(5)) < 0.04, run


def test_long_messages_are_cut_after_redaction() -> None:
    assert len(redact("x" * 1_000_000)) < 2_010
    cut = redact("y " * 995 + "carla.carlsson@example.com " + "z " * 500)
    assert "carla" not in cut
    assert "[address]" in cut
    text = redact_traceback("Traceback\n" + "x" * 100_000 + "\nValueError: a@b.c")
    assert len(text) < 21_000
    assert text.startswith("Traceback")
    assert text.endswith("ValueError: [address]")


def said(formatter: logging.Formatter, message: str, *args: Any, error: Exception | None = None) -> str:
    exc_info = (type(error), error, None) if error else None
    return formatter.format(logging.LogRecord("x", logging.INFO, __file__, 0, message, args, exc_info))


@pytest.mark.parametrize(
    "new_line", ["\n", "\r", "\r\n", "\x0b", "\x0c", "\x1b[2J", "\x85", "\u2028", "\u202e", "\x00", "\x9b"]
)
def test_log_lines_cannot_be_forged(new_line: str) -> None:
    """In text format a path or a header with a line break stays on one line; an error's lines are indented."""
    forged = f"{new_line}2026-01-01 00:00:00,000 1 INFO productbackend.access [x] GET / 200"
    text = said(TextFormatter(), "GET %s 404", f"/nowhere{forged}")
    assert len(text.splitlines()) == 1
    assert text.isprintable()
    text = said(TextFormatter(), "GET %s 500", "/", error=ValueError(f"wrong{forged}"))
    _, *others = text.splitlines()
    assert others
    assert all(line.startswith("  ") and line.isprintable() for line in others)
    assert len(said(JSONFormatter(), "GET %s 404", f"/nowhere{forged}").split("\n")) == 1


@pytest.mark.django_db
def test_a_path_with_a_line_break_is_one_line(api: Any, caplog: pytest.LogCaptureFixture) -> None:
    api.get("/nowhere%0a2026-01-01 INFO forged")
    (record,) = [record for record in caplog.records if record.name == "productbackend.access"]
    assert len(TextFormatter().format(record).splitlines()) == 1

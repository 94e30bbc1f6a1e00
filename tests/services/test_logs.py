"""MySQL's errors quote values: no address gets into the log by them."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests

from tests.observability.metrics.reading import parsed, value
from tests.services.stack import Stack
from tests.setup import logs
from tests.setup.trip import IDS, LATE, REFUSED, Trip
from tests.waiting import wait_for

pytestmark = pytest.mark.xdist_group("faults")

TRIGGERS = {
    "refuse": f"""
        BEFORE INSERT ON outbox_mail FOR EACH ROW IF NEW.recipient = '{REFUSED}' THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'Duplicate entry ''{REFUSED}'' for key'; END IF
    """,
    "be_late": f"""
        BEFORE UPDATE ON outbox_mail FOR EACH ROW IF NEW.recipient = '{LATE}' AND NEW.status = 'sent' THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'Duplicate entry ''{LATE}'' for key'; END IF
    """,
}


@contextmanager
def triggers(stack: Stack) -> Iterator[None]:
    for name, body in TRIGGERS.items():
        stack.execute(f"CREATE TRIGGER {name} {body}")
    try:
        yield
    finally:
        for name in TRIGGERS:
            stack.execute(f"DROP TRIGGER {name}")


def lines(stack: Stack) -> list[str]:
    return [line for name in stack.commands for line in stack.log(name).splitlines()]


def failures(stack: Stack, request_id: str) -> list[str]:
    said = [line for line in logs.parsed(lines(stack)) if line["request_id"] == request_id]
    return [line["exception"] for line in said if line["exception"]]


def test_each_line_of_a_shopping_trip_is_json_and_none_has_a_secret(stack: Stack) -> None:
    trip = Trip(stack.url, stack.request, lambda: stack.mailbox.mails)
    trip.go()
    with triggers(stack):
        trip.fail()
        wait_for(lambda: failures(stack, IDS["late"]), seconds=30)
    for step in ("failure", "late"):
        assert "Duplicate entry '[address]'" in failures(stack, IDS[step])[0]
    assert not logs.faults(lines(stack), trip.secrets | {stack.environment["SECRET_KEY"]})


def test_the_stock_is_checked_again_and_again(stack: Stack) -> None:
    def checked() -> float:
        samples = parsed(requests.get(f"{stack.url}/metrics", timeout=20).text)
        assert value(samples, "productbackend_stock_drift_products") == 0
        return value(samples, "productbackend_stock_check_timestamp_seconds")

    first = wait_for(checked, seconds=30, every=0.5)
    wait_for(lambda: checked() > first, seconds=30, every=0.5)

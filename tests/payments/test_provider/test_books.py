"""The books: each course, and that nothing happens twice."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import time_machine

from payments.test_provider.books import Books, Refused
from payments.test_provider.faults import Injector
from payments.test_provider.store import Row, Store

pytestmark = pytest.mark.embedded


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    store = Store(tmp_path / "books.sqlite3")
    yield Books(store, Injector(store))
    store.close()


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(1_800_000_000, tick=False) as clock:
        yield clock


def new(books: Books, key: str = "key", cents: int = 1_990) -> str:
    row = books.start(key=key, order_number="A-1", cents=cents, currency="EUR", return_url="")
    return str(row["reference"])


def moved(books: Books, reference: str) -> list[tuple[str, int, str]]:
    return [(row["kind"], row["cents"], row["state"]) for row in books.movements(books.payment(reference))]


def events(books: Books) -> list[Row]:
    return books.store.rows("SELECT * FROM event ORDER BY id")


CAPTURE = ("capture", 1_990, "done")


@pytest.mark.parametrize(
    ("course", "state", "movements", "sent"),
    [
        ("pays", "succeeded", [CAPTURE], 1),
        ("fails", "failed", [], 1),
        ("loses_event", "succeeded", [CAPTURE], 0),
        ("doubles_event", "succeeded", [CAPTURE], 2),
        ("delays_event", "succeeded", [CAPTURE], 1),
        ("times_out", "succeeded", [CAPTURE], 1),
        ("pays_late", "open", [], 0),
        ("refund_outside", "succeeded", [CAPTURE], 1),
        ("chargeback", "succeeded", [CAPTURE], 1),
        ("chargeback_reversal", "succeeded", [CAPTURE], 1),
    ],
)
def test_each_course(books: Books, course: str, state: str, movements: list[tuple[str, int, str]], sent: int) -> None:
    reference = new(books)
    assert books.pay(reference, course)["state"] == state
    assert moved(books, reference) == movements
    assert len(events(books)) == sent
    books.pay(reference, course)
    books.pay(reference, "pays")
    assert moved(books, reference) == movements  # again: nothing changes


@pytest.mark.parametrize(
    ("course", "kinds"),
    [
        ("pays", []),
        ("refund_outside", ["refund"]),
        ("chargeback", ["chargeback"]),
        ("chargeback_reversal", ["chargeback", "chargeback_reversal"]),
    ],
)
def test_what_happens_afterwards(books: Books, clock: time_machine.Traveller, course: str, kinds: list[str]) -> None:
    reference = new(books)
    books.pay(reference, course)
    books.take_due_steps()
    assert moved(books, reference) == [CAPTURE]
    for _ in range(3):
        clock.shift(11)
        books.take_due_steps()
    assert moved(books, reference) == [CAPTURE, *((kind, 1_990, "done") for kind in kinds)]
    assert len(events(books)) == 1 + len(kinds)


def test_a_delayed_event_is_due_later(books: Books, clock: time_machine.Traveller) -> None:
    books.pay(new(books), "delays_event")
    [event] = events(books)
    assert event["due_at"] == event["created_at"] + 30


@pytest.mark.parametrize("is_cancelled", [True, False])
def test_late_money_comes_also_when_it_is_not_wanted(
    books: Books, clock: time_machine.Traveller, is_cancelled: bool
) -> None:
    reference = new(books)
    books.pay(reference, "pays_late")
    if is_cancelled:
        assert books.cancel(reference)["state"] == "cancelled"
    clock.shift(31)
    books.take_due_steps()
    assert books.payment(reference)["state"] == "succeeded"
    assert moved(books, reference) == [CAPTURE]


def test_cancelling(books: Books) -> None:
    paid, cancelled = new(books, "paid"), new(books, "cancelled")
    books.pay(paid, "pays")
    assert books.cancel(paid)["state"] == "succeeded"
    assert books.cancel(cancelled)["state"] == "cancelled"
    assert books.cancel(cancelled)["state"] == "cancelled"
    with pytest.raises(Refused, match="was cancelled"):
        books.pay(cancelled, "pays")
    assert moved(books, cancelled) == []
    assert len(events(books)) == 2


def test_a_key_starts_one_payment(books: Books) -> None:
    assert new(books) == new(books)
    assert new(books, "other") != new(books)
    with pytest.raises(Refused, match="another payment"):
        new(books, cents=1_991)


def test_a_refunds_key_refunds_once(books: Books) -> None:
    reference = new(books)
    books.pay(reference, "pays")
    first = books.refund(reference, cents=500, key="refund")
    assert books.refund(reference, cents=500, key="refund")["reference"] == first["reference"]
    assert moved(books, reference) == [CAPTURE, ("refund", 500, "done")]
    with pytest.raises(Refused, match="another refund"):
        books.refund(reference, cents=501, key="refund")


def test_never_more_is_refunded_than_was_paid_also_with_ten_at_once(books: Books) -> None:
    reference = new(books)
    with pytest.raises(Refused):
        books.refund(reference, cents=1, key="unpaid")
    books.pay(reference, "pays")

    def refund(number: int) -> bool:
        try:
            books.refund(reference, cents=600, key=f"refund {number}")
        except Refused:
            return False
        return True

    with ThreadPoolExecutor(10) as pool:
        assert sum(pool.map(refund, range(10))) == 3
    assert books.refundable(books.payment(reference)) == 190


@pytest.mark.parametrize(("course", "state", "left"), [("pending", "done", 1_490), ("fails_later", "failed", 1_990)])
def test_a_refund_whose_outcome_is_known_later(
    books: Books, clock: time_machine.Traveller, course: str, state: str, left: int
) -> None:
    reference = new(books)
    books.pay(reference, "pays")
    books.refund(reference, cents=500, key="refund", course=course)
    assert moved(books, reference)[1] == ("refund", 500, "pending")
    assert books.refundable(books.payment(reference)) == 1_490
    clock.shift(31)
    books.take_due_steps()
    assert moved(books, reference)[1] == ("refund", 500, state)
    assert books.refundable(books.payment(reference)) == left
    assert books.refund(reference, cents=500, key="refund")["state"] == state
    assert len(events(books)) == 3


def test_a_refund_that_was_done_comes_back(books: Books, clock: time_machine.Traveller) -> None:
    reference = new(books)
    books.pay(reference, "pays")
    books.refund(reference, cents=500, key="refund", course="comes_back")
    assert moved(books, reference)[1] == ("refund", 500, "done")
    clock.shift(31)
    books.take_due_steps()
    assert moved(books, reference)[1] == ("refund", 500, "failed")
    assert books.refundable(books.payment(reference)) == 1_990
    assert len(events(books)) == 3


def test_what_the_bank_does_needs_money(books: Books) -> None:
    reference = new(books)
    for action in ("refund_outside", "chargeback", "chargeback_reversal"):
        with pytest.raises(Refused):
            books.do_afterwards(reference, action)
    books.pay(reference, "pays")
    with pytest.raises(Refused, match="no chargeback"):
        books.do_afterwards(reference, "chargeback_reversal")
    books.do_afterwards(reference, "refund_outside", cents=990)
    books.do_afterwards(reference, "chargeback")
    with pytest.raises(Refused, match="more than"):
        books.do_afterwards(reference, "refund_outside", cents=1)
    books.do_afterwards(reference, "chargeback_reversal")
    assert books.refundable(books.payment(reference)) == 1_000


def test_changes_are_listed_in_their_order(books: Books, clock: time_machine.Traveller) -> None:
    references = []
    for number in range(5):
        clock.shift(1)
        references.append(new(books, str(number)))
    clock.shift(1)
    books.pay(references[0], "pays")
    expected = [*references[1:], references[0]]
    listed: list[Row] = []
    since, after = 0.0, 0
    while page := books.changed_since(since, after, 2):
        listed += page
        since, after = page[-1]["updated_at"], page[-1]["id"]
    assert [row["reference"] for row in listed] == expected

"""A provider that does not answer is left alone for a while, and nobody waits for it."""

import logging
from typing import Any

import pytest
from django.core.cache import cache
from django.db import OperationalError
from redis.exceptions import ConnectionError as RedisConnectionError

from payments import calling as module
from payments import providers
from payments.calling import FAILURES, ProviderFaulty, calling
from payments.providers.base import ProviderRefused, ProviderUnavailable
from tests.payments.books import SECRET, Books
from tests.waiting import wait_for


def call(books: Books, fault: str | None = None) -> str:
    """What became of one call."""
    books.faults["fetch"] = [fault] if fault else []
    before = len(books.calls)
    try:
        with calling("books", "Payment 7") as source:
            source.fetch("pay_1")
    except ProviderFaulty:
        return "faulty"
    except ProviderUnavailable:
        return "no answer" if len(books.calls) > before else "not called"
    except ProviderRefused:
        return "refused"
    return "answered"


@pytest.fixture
def known(books: Books) -> Books:
    books.rows["pay_1"] = None  # type: ignore[assignment]  # any answer will do
    return books


def test_after_some_failures_it_is_not_called(known: Books) -> None:
    assert [call(known, "before") for _ in range(FAILURES)] == ["no answer"] * FAILURES
    # One caller tries; the others fail at once.
    assert [call(known, "before") for _ in range(4)] == ["no answer", *["not called"] * 3]


def test_an_answer_lets_everybody_call_again(known: Books) -> None:
    for _ in range(FAILURES):
        call(known, "before")
    assert [call(known) for _ in range(3)] == ["answered"] * 3


@pytest.mark.parametrize("answer", [None, "refused"])
def test_failures_with_answers_in_between_are_no_reason(known: Books, answer: str | None) -> None:
    for _ in range(2 * FAILURES):
        assert call(known, "after") == "no answer"
        assert call(known, answer) in ("answered", "refused")


def test_it_is_tried_every_few_seconds(known: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PROBE_EVERY", 1)  # by the clock of the cache, which may be a server's
    for _ in range(FAILURES + 1):
        call(known, "before")
    assert call(known, "before") == "not called"
    wait_for(lambda: call(known, "before") == "no answer", seconds=5)
    assert call(known, "before") == "not called"


def test_other_methods_are_called(known: Books) -> None:
    cache.set("payments:unanswered:other", 99)
    assert call(known) == "answered"


def test_without_the_cache_everything_is_called(known: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*args: Any, **kwargs: Any) -> Any:
        raise RedisConnectionError("no cache")

    for name in ("get", "set", "add", "delete"):
        monkeypatch.setattr(module.cache, name, unreachable)
    assert [call(known, "before") for _ in range(2 * FAILURES)] == ["no answer"] * (2 * FAILURES)
    assert call(known) == "answered"


def test_code_that_fails_is_no_answer_and_logged_once_without_its_text(known: Books, caplog: Any) -> None:
    with caplog.at_level(logging.WARNING):
        assert call(known, "broken") == "faulty"
    [record] = caplog.records
    assert record.levelname == "ERROR"
    assert record.getMessage().startswith("Payment 7: the code of books failed: KeyError at books.py:")
    assert SECRET not in caplog.text


def test_no_answer_is_logged_once(known: Books, caplog: Any) -> None:
    with caplog.at_level(logging.WARNING):
        assert call(known, "before") == "no answer"
    assert [record.getMessage() for record in caplog.records] == [
        "Payment 7: books did not answer: ProviderUnavailable"
    ]


def test_code_that_fails_keeps_nobody_else_from_calling(known: Books) -> None:
    """Nobody waits for it, and it may be about one payment alone."""
    assert [call(known, "broken") for _ in range(2 * FAILURES)] == ["faulty"] * (2 * FAILURES)
    assert call(known) == "answered"


def test_a_provider_whose_library_was_removed_is_faulty(known: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(providers.MODULES, "books", "payments.providers.removed")
    providers.provider.cache_clear()
    assert call(known) == "faulty"


def test_an_error_of_the_shops_database_is_not_the_providers(known: Books) -> None:
    with pytest.raises(OperationalError), calling("books", "Payment 7"):
        raise OperationalError(1205, "Lock wait timeout exceeded")

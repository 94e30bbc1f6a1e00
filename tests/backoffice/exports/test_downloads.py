"""Few exports at a time, and none for ever."""

import gc
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from rest_framework.test import APIClient

from backoffice.exports import downloads
from productbackend.errors import DomainError
from tests import factories
from tests.backoffice.files import body_of, csv_rows

pytestmark = pytest.mark.django_db


@pytest.fixture
def slots(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.BoundedSemaphore]:
    """The exports that may run: none is running before the test, and none after it."""
    semaphore = threading.BoundedSemaphore(downloads.AT_A_TIME)
    monkeypatch.setattr(downloads, "running", semaphore)
    yield semaphore
    gc.collect()
    assert free(semaphore) == downloads.AT_A_TIME


def free(semaphore: threading.BoundedSemaphore) -> int:
    number = 0
    while semaphore.acquire(blocking=False):
        number += 1
    for _ in range(number):
        semaphore.release()
    return number


def pieces(*given: Any) -> Iterator[bytes]:
    for each in given:
        if isinstance(each, Exception):
            raise each
        yield each


def test_one_export_more_than_may_run_is_a_503(staff: APIClient, slots: threading.BoundedSemaphore) -> None:
    factories.product()
    held = [staff.get("/exports/stock/") for _ in range(downloads.AT_A_TIME)]
    for query in ("", "?format=xlsx"):
        refused = staff.get(f"/exports/stock/{query}")
        assert (refused.status_code, refused["Content-Type"]) == (503, "application/problem+json")
        assert "2 exports are running" in refused.json()["detail"]
        assert refused["Retry-After"]
    assert staff.head("/exports/stock/").status_code == 200
    assert len(csv_rows(body_of(held[0]))) == 1
    assert len(csv_rows(body_of(staff.get("/exports/stock/")))) == 1
    held[1].close()


def test_a_client_that_disconnects_ends_the_reading(slots: threading.BoundedSemaphore) -> None:
    ended: list[str] = []

    def reading() -> Iterator[bytes]:
        try:
            yield b"1"
            yield b"2"
            yield b"3"
        finally:
            ended.append("reading")

    download = downloads.Download(reading())
    sent = iter(download)
    assert [next(sent), next(sent)] == [b"1", b"2"]
    assert (ended, free(slots)) == ([], downloads.AT_A_TIME - 1)
    download.close()  # as a server does when it can send no more
    assert (ended, free(slots)) == (["reading"], downloads.AT_A_TIME)
    download.close()


def test_a_download_that_no_server_closes_no_longer_counts(slots: threading.BoundedSemaphore) -> None:
    download = downloads.Download(pieces(b"1"))
    assert free(slots) == downloads.AT_A_TIME - 1
    del download
    gc.collect()
    assert free(slots) == downloads.AT_A_TIME


def test_an_error_of_the_first_piece_is_raised_immediately(slots: threading.BoundedSemaphore) -> None:
    with pytest.raises(DomainError):
        downloads.Download(pieces(DomainError("unavailable", "")))
    assert free(slots) == downloads.AT_A_TIME


def test_an_error_later_ends_the_file_before_its_end(slots: threading.BoundedSemaphore) -> None:
    download = downloads.Download(pieces(b"1", b"2", DomainError("unavailable", ""), b"3"))
    sent = iter(download)
    assert [next(sent), next(sent)] == [b"1", b"2"]
    with pytest.raises(DomainError):
        next(sent)
    download.close()


def test_a_download_ends_after_its_time(slots: threading.BoundedSemaphore, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    download = downloads.Download(pieces(b"1", b"2", b"3"))
    sent = iter(download)
    assert [next(sent), next(sent)] == [b"1", b"2"]
    now[0] += downloads.SECONDS_MAX + 1
    with pytest.raises(DomainError, match="more than 600 seconds"):
        next(sent)
    download.close()


def test_a_client_that_takes_no_data_is_not_waited_for(staff: APIClient) -> None:
    timeouts: list[float] = []

    class Connection:
        def settimeout(self, seconds: float) -> None:
            timeouts.append(seconds)

    environ: Any = {"gunicorn.socket": Connection()}
    for path in ("/exports/stock/", "/exports/stock/?format=xlsx"):
        body_of(staff.get(path, **environ))
    assert timeouts == [downloads.STALLED_SECONDS] * 2

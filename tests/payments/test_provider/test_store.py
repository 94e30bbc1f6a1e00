"""The store: a transaction is all or nothing, and threads take turns."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from payments.test_provider.store import Store

pytestmark = pytest.mark.embedded

WRITE = "INSERT OR REPLACE INTO setting (name, value) VALUES ('count', ?)"
READ = "SELECT value FROM setting WHERE name = 'count'"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "books.sqlite3")
    yield store
    store.close()


def test_an_error_undoes_the_whole_transaction_also_its_inner_ones(store: Store) -> None:
    def fail() -> None:
        with store.transaction():
            with store.transaction():
                store.run(WRITE, "1")
            assert store.row(READ) is not None
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert store.row(READ) is None


def test_threads_take_turns(store: Store) -> None:
    store.run(WRITE, "0")

    def count(_: int) -> None:
        with store.transaction():
            [row] = store.rows(READ)
            store.run(WRITE, str(int(row["value"]) + 1))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count, range(200)))
    assert store.number(READ) == 200


def test_what_was_written_is_there_after_opening_it_again(store: Store, tmp_path: Path) -> None:
    store.run(WRITE, "7")
    again = Store(tmp_path / "books.sqlite3")
    assert again.number(READ) == 7
    again.close()

"""Events: signed, sent until the shop takes them, and the faults of their way."""

import logging
import time
from pathlib import Path

import pytest

from payments.test_provider import events, signing
from payments.test_provider.books import Books
from payments.test_provider.events import Sender, Worker
from payments.test_provider.faults import Injector
from payments.test_provider.store import Store
from tests.payments.test_provider.running import SECRET_KEY, Running, Shop
from tests.waiting import wait_for

pytestmark = pytest.mark.embedded

SECRET = signing.event_secret(SECRET_KEY)


def received(shop: Shop, count: int) -> list[dict[str, object]]:
    """The bodies of the events, as soon as there are so many; and no more follow."""
    wait_for(lambda: len(shop.received) >= count, seconds=10)
    time.sleep(0.3)
    assert len(shop.received) == count
    return [each.event for each in shop.received]


def test_an_event_is_signed_and_names_the_payment(provider: Running, shop: Shop) -> None:
    reference = provider.paid()
    [event] = received(shop, 1)
    assert event["payment"] == {
        "reference": reference,
        "key": "key",
        "state": "succeeded",
        "amount": "19.90",
        "currency": "EUR",
    }
    [got] = shop.received
    assert got.path == "/payment-events/test/"
    assert signing.is_signed(got.body, got.headers[signing.HEADER], secret=SECRET, now=time.time())


def test_a_doubled_event_is_the_same_twice_and_a_lost_one_is_none(provider: Running, shop: Shop) -> None:
    provider.paid("loses_event", key="one")
    provider.paid("doubles_event", key="two")
    first, second = received(shop, 2)
    assert first == second


def test_a_delayed_event_comes_later(provider: Running, shop: Shop) -> None:
    before = time.time()
    provider.paid("delays_event", seconds="1")
    received(shop, 1)
    assert time.time() - before > 1


@pytest.mark.parametrize("status", [400, 404, 500, 503, 302])
def test_an_event_is_sent_again_until_the_shop_takes_it(
    provider: Running, shop: Shop, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setattr(events, "BACKOFF", (0.05,))
    shop.status = status
    provider.paid()
    wait_for(lambda: len(shop.received) >= 3, seconds=10)
    shop.status = 200
    seen = len(shop.received)
    wait_for(lambda: len(shop.received) > seen, seconds=10)
    time.sleep(0.5)
    assert provider.server.store.number("SELECT count(*) FROM event WHERE due_at IS NOT NULL") == 0
    assert len({each.body for each in shop.received}) == 1


def test_events_wait_for_a_shop_that_is_down_and_for_a_restart(provider: Running, shop: Shop) -> None:
    shop.close()
    reference = provider.paid()
    store = provider.server.store
    wait_for(lambda: store.row("SELECT id FROM event WHERE attempts > 0"), seconds=10)
    provider.stop()
    provider.shop = again = Shop(shop.server_port)
    provider.start()
    wait_for(lambda: again.received, seconds=10)
    assert again.received[0].event["payment"]["reference"] == reference
    again.close()


def test_it_gives_up_after_an_hour_and_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = Store(tmp_path / "books.sqlite3")
    books = Books(store, Injector(store))
    row = books.start(key="key", order_number="A-1", cents=100, currency="EUR", return_url="")
    books.pay(row["reference"], "pays")
    store.run("UPDATE event SET created_at = created_at - 3600")
    sender = Sender(store, shop_url="http://127.0.0.1:9", secret=SECRET)  # nobody listens there
    with caplog.at_level(logging.WARNING):
        assert sender.send_due() == 1
    assert "was not taken within an hour: ConnectionRefusedError" in caplog.text
    assert sender.send_due() == 0
    sender.close()
    store.close()


@pytest.mark.parametrize(("fault", "count"), [({"lose": 1}, 0), ({"double": 1}, 2), ({"lose": 0, "double": 0}, 1)])
def test_faults_by_chance(provider: Running, shop: Shop, fault: dict[str, float], count: int) -> None:
    assert provider.faults(**fault).status_code == 200
    provider.paid()
    received(shop, count)


def test_an_event_that_lies_says_that_the_payment_succeeded(provider: Running, shop: Shop) -> None:
    provider.faults(lie=1)
    reference = provider.paid("fails")
    [event] = received(shop, 1)
    assert event["payment"]["state"] == "succeeded"  # type: ignore[index]
    assert provider.client.fetch(reference).state == "failed"


@pytest.mark.parametrize("fault", ["delay", "reorder"])
def test_events_that_come_late(provider: Running, shop: Shop, fault: str) -> None:
    provider.faults(**{fault: 1, "delay_seconds": 2})
    provider.paid()
    [row] = provider.server.store.rows("SELECT due_at - created_at AS wait FROM event")
    assert 0 < row["wait"] <= 2
    received(shop, 1)


def test_a_worker_goes_on_after_an_error_and_ends_when_it_is_stopped() -> None:
    rounds = []

    def work() -> int:
        rounds.append(1)
        if len(rounds) == 1:
            raise ZeroDivisionError
        return 0

    worker = Worker("steps", work)
    worker.start()
    wait_for(lambda: len(rounds) > 1, seconds=5)
    worker.stop()
    assert not worker.is_alive()

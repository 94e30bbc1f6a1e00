"""However many cancel or fulfil an order concurrently, it has one mail."""

from collections import Counter
from functools import partial
from itertools import count
from typing import Any

import pytest

from orders import lifecycle, mails
from orders.models import Order
from outbox.models import Mail
from products.models import StockMovement
from tests import factories
from tests.concurrency.racing import paused
from tests.concurrently import run_concurrently
from tests.orders.placed import place


def unlocked_order(order_id: int) -> Order:
    """`lifecycle.locked_order` without the lock."""
    return Order.objects.get(pk=order_id)


def run_20_times(step: Any) -> list[Any]:
    """The outcomes of one step of one order from 20 connections."""
    user = factories.user("carla")
    order = Order.objects.get(number=place("carla", (factories.product(quantity=100), 1)))
    return run_concurrently([partial(step, order_id=order.pk, user=user)] * 20)


def number_of(kind: str) -> int:
    return Mail.objects.filter(kind=kind).count()


def test_20_cancel_one_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "locked_order", paused(lifecycle.locked_order))
    assert Counter(outcome.status for outcome in run_20_times(lifecycle.cancel)) == {"cancelled": 20}
    assert number_of(mails.CANCELLED) == 1
    assert StockMovement.objects.filter(reason="restock").count() == 1


def test_20_fulfil_one_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "locked_order", paused(lifecycle.locked_order))
    codes = Counter(getattr(outcome, "code", "done") for outcome in run_20_times(lifecycle.fulfil))
    assert codes == {"done": 1, "order-state": 19}
    assert number_of(mails.SENT) == 1


def test_without_the_lock_of_the_order_the_key_alone_allows_one_mail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "locked_order", paused(unlocked_order))
    run_20_times(lifecycle.fulfil)
    assert Order.objects.get().changes.filter(status="fulfilled").count() > 1
    assert number_of(mails.SENT) == 1


def test_control_without_lock_and_key_there_are_many_mails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "locked_order", paused(unlocked_order))
    numbers = count()
    monkeypatch.setattr(mails, "key", lambda kind, order, cause: f"{kind}:{next(numbers)}")
    run_20_times(lifecycle.fulfil)
    assert number_of(mails.SENT) > 1

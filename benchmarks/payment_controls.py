"""The shop without one of its safeguards: `benchmarks.payment_faults` must find what is wrong then.

BENCHMARK_CONTROL names the safeguard that is missing. Gunicorn serves `application`, and Celery runs `app`. The
safeguards are replaced in the modules that own them; the product knows nothing of this.
"""

import json
import os
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from django.utils import timezone

from productbackend.celery import app
from productbackend.wsgi import application

__all__ = ["app", "application"]

PAUSE = 0.3  # seconds between reading an order and writing it, so that others come in between


def without_reference() -> None:
    """Add each movement that a snapshot has, whether or not its reference is in the ledger."""
    from payments import ledger
    from payments.models import MoneyMovement

    def add(*, payment: Any, kind: Any, money: Any, refund: Any = None, user: Any = None) -> bool:
        MoneyMovement.objects.create(
            payment=payment,
            order_id=payment.order_id,
            refund=refund,
            kind=kind,
            amount=money.amount,
            currency=payment.currency,
            provider=payment.method,
            reference=money.reference,
            user=user,
            occurred_at=money.occurred_at,
        )
        return True

    ledger.add = add


def drop_unique_reference() -> None:
    """Drop the constraint that `without_reference` would violate."""
    from django.db import connection

    from payments.models import MoneyMovement

    [unique] = [each for each in MoneyMovement._meta.constraints if each.name == "movement_reference_once"]
    MoneyMovement._meta.constraints.remove(unique)  # SQLite creates the table again, with those of the model
    with connection.schema_editor() as editor:
        editor.remove_constraint(MoneyMovement, unique)


def without_lock() -> None:
    """Read an order without its lock, and pause before it is used."""
    from orders import lifecycle
    from orders.models import Order

    def unlocked_order(order_id: int) -> Order:
        order = Order.objects.get(pk=order_id)
        time.sleep(PAUSE)
        return order

    lifecycle.locked_order = unlocked_order


def paused() -> None:
    """Pause as `without_lock` does, with the lock: nothing may be wrong then."""
    from orders import lifecycle

    locked_order = lifecycle.locked_order

    def paused_order(order_id: int) -> Any:
        order = locked_order(order_id)
        time.sleep(PAUSE)
        return order

    lifecycle.locked_order = paused_order


def trusting() -> None:
    """Settle by an event's body, without asking the provider."""
    from payments.models import Payment
    from payments.providers.base import Event, Money, Snapshot, State
    from payments.providers.test import TestProvider
    from payments.settling import settle

    parse = TestProvider.parse_event

    def parse_event(self: TestProvider, body: bytes, headers: Mapping[str, str]) -> Event:
        event = parse(self, body, headers)
        told = json.loads(body)["payment"]
        payment = Payment.objects.filter(method=self.code, reference=event.reference).first()
        if payment is not None and told["state"] == "succeeded":
            amount = Decimal(told["amount"])
            captures = [Money(f"capture of {event.reference}", amount, timezone.now())]
            snapshot = Snapshot(
                reference=event.reference,
                key=told["key"],
                state=State.SUCCEEDED,
                amount=amount,
                currency=told["currency"],
                captures=captures,
            )
            settle(payment_id=payment.pk, snapshot=snapshot)
        return event

    TestProvider.parse_event = parse_event  # type: ignore[method-assign]


CONTROLS: dict[str, Callable[[], None]] = {
    "reference": without_reference,
    "lock": without_lock,
    "pause": paused,
    "trusted": trusting,
}

if control := os.environ.get("BENCHMARK_CONTROL"):
    CONTROLS[control]()

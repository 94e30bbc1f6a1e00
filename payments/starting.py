"""Starting a payment: the attempt is a row before the provider is called.

The row, the claim and the outcome are three commits, and the provider is called between the last two, outside of any
transaction, with the row's key: whoever is killed in between, the next request starts the same attempt again, and the
provider answers as the first time. docs/adr/0015-payments.md has what is seen after each step.
"""

import logging
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError
from django.utils import timezone

from orders import lifecycle
from orders.customers import Customer
from orders.models import Order
from payments import schedule
from payments.calling import calling
from payments.models import Payment
from payments.providers.base import Attempt, ProviderRefused, ProviderUnavailable
from payments.settling import ERROR_MAX
from productbackend.database.idempotency import IdempotencyKey
from productbackend.database.transactions import atomic_with_retry
from productbackend.errors import DomainError, InvalidValue

logger = logging.getLogger(__name__)

Status = Payment.Status

TRANSFER = "transfer"
WAIT = 5.0  # seconds for which a request waits while another one starts the same attempt
POLL = 0.05


@dataclass(frozen=True)
class Start:
    """A request to pay an order by a method; `return_url` is where the provider's page sends the customer back."""

    order_id: int
    method: str
    customer: Customer
    return_url: str = ""
    key: IdempotencyKey | None = None

    def payment_with_key(self) -> Payment | None:
        """The payment of an earlier request with the key. Raises idempotency-key-reused if that request differed."""
        if self.key is None:
            return None
        rows = Payment.objects.filter(key_owner=self.customer.key_owner, idempotency_key=self.key.value)
        found = rows.first()
        if found is not None and found.fingerprint != self.key.fingerprint:
            raise DomainError("idempotency-key-reused", "This Idempotency-Key was used with another request.")
        return found

    @property
    def key_columns(self) -> dict[str, Any]:
        if self.key is None:
            return {}
        return {
            "key_owner": self.customer.key_owner,
            "idempotency_key": self.key.value,
            "fingerprint": self.key.fingerprint,
        }


@dataclass(frozen=True)
class Attempted:
    """The payment, whether this request created it, and whether it is of an earlier request with the same key."""

    payment: Payment
    created: bool
    replayed: bool = False


def start(request: Start) -> Attempted:
    """Start a payment of the order, or return the open one of that method.

    Raises DomainError: not-found, order-state unless the order waits for money, InvalidValue for a method that the
    shop does not offer, idempotency-key-reused, payment-refused, or unavailable if the provider does not answer; the
    next request starts the same attempt again then.
    """
    try:
        attempted = _reserve(request)
    except IntegrityError:
        if request.payment_with_key() is None:
            raise
        attempted = _reserve(request)  # a concurrent request used the same key: this call finds its payment
    if attempted.payment.reference is not None:
        return attempted
    payment = _begin(attempted.payment)
    return Attempted(payment, attempted.created, attempted.replayed)


@atomic_with_retry
def _reserve(request: Start) -> Attempted:
    """Return the row of the attempt: of an earlier request with the key, the open one, or a new one."""
    order = lifecycle.locked_order(request.order_id)
    if earlier := request.payment_with_key():
        if earlier.status == Status.FAILED and earlier.reference is None:
            raise _refused()
        return Attempted(earlier, created=True, replayed=earlier.reference is not None)
    _require_waiting(order)
    if request.method not in settings.PAYMENT_METHODS:
        raise InvalidValue("method", "invalid_choice", "The shop does not offer this method: see /payment-methods/.")
    if request.method == TRANSFER:
        _hold_longer(order)
    open_key = f"{order.pk}:{request.method}"
    found = Payment.objects.filter(open_key=open_key).first()
    if found is None:
        return Attempted(_create(order, request, open_key), created=True)
    if found.reference is None and found.idempotency_key is None and request.key is not None:
        Payment.objects.filter(pk=found.pk).update(**request.key_columns)
    return Attempted(found, created=found.reference is None)


def _create(order: Order, request: Start, open_key: str) -> Payment:
    return Payment.objects.create(
        order=order,
        method=request.method,
        open_key=open_key,
        amount=order.total,
        currency=order.currency,
        return_url=request.return_url,
        user=request.customer.user,
        **request.key_columns,
    )


def _require_waiting(order: Order) -> None:
    """Raise order-state unless the order waits for money."""
    if order.status != Order.Status.PENDING:
        raise DomainError("order-state", f"The order is {order.status}: it does not wait for a payment.")
    if order.expires_at is not None and order.expires_at <= timezone.now():
        raise DomainError("order-state", "The time to pay the order is over.")


def _hold_longer(order: Order) -> None:
    """Hold the stock of an order that is paid by bank transfer for as long as one may take."""
    until = timezone.now() + timedelta(days=settings.TRANSFER_HOLD_DAYS)
    open_key = f"{order.pk}:{TRANSFER}"
    if Payment.objects.filter(open_key=open_key).exists():
        return  # it was chosen before: a repeated request does not prolong it
    if order.expires_at is None or order.expires_at < until:
        order.expires_at = until
        order.save(update_fields={"expires_at", "updated_at"})


def _begin(payment: Payment) -> Payment:
    """Start the attempt at its provider, or wait for the worker that does. Raises unavailable or payment-refused."""
    deadline = time.monotonic() + WAIT
    while not (claimed := _claim(payment.pk)):
        payment = Payment.objects.get(pk=payment.pk)
        if payment.reference is not None or not _may_start(payment):
            return _usable(payment)
        if time.monotonic() > deadline:
            raise _unavailable()
        time.sleep(POLL)
    try:
        _call(claimed)
    except ProviderUnavailable as error:
        # The key is not used up: the same request may come again, or another one.
        _record(claimed, key_owner="", idempotency_key=None, fingerprint="")
        raise _unavailable() from error
    except ProviderRefused as error:
        logger.error("Payment %d: %s refused to start it", claimed.pk, claimed.method)
        closed = {"status": Status.FAILED, "open_key": None, "due_at": None}  # due if its cancellation was requested
        _record(claimed, **closed, error=str(error)[:ERROR_MAX], updated_at=timezone.now())
        raise _refused() from error
    payment = _usable(Payment.objects.get(pk=claimed.pk))
    if payment.cancel_requested_at is not None:  # the order was cancelled meanwhile: a worker cancels the attempt
        raise _too_late()
    return payment


def _may_start(payment: Payment) -> bool:
    return payment.status == Status.PENDING and payment.cancel_requested_at is None


@atomic_with_retry
def _claim(payment_id: int) -> Payment | None:
    """Claim an attempt that is not started; None if it is claimed, started, closed or to be cancelled."""
    now = timezone.now()
    waiting = {"status": Status.PENDING, "reference": None, "cancel_requested_at": None}
    rows = Payment.objects.filter(schedule.unclaimed(now), pk=payment_id, **waiting)
    if not rows.update(claimed_at=now):
        return None
    return Payment.objects.select_related("order").filter(pk=payment_id, claimed_at=now).first()


def _call(payment: Payment) -> None:
    """Call the provider, and write its answer. Raises ProviderUnavailable or ProviderRefused."""
    attempt = Attempt(
        key=payment.key,
        order_number=payment.order.number,
        amount=payment.amount,
        currency=payment.currency,
        return_url=payment.return_url,
    )
    with calling(payment.method, f"Payment {payment.pk}") as source:
        started = source.start(attempt)
    _record(
        payment,
        reference=started.reference,
        client_secret=started.client_secret,
        redirect_url=started.redirect_url,
        due_at=timezone.now() + schedule.RETRY,
        error="",
    )


@atomic_with_retry
def _record(payment: Payment, **fields: Any) -> None:
    """Write the outcome and end the claim, unless it has expired and another worker has the row."""
    Payment.objects.filter(pk=payment.pk, claimed_at=payment.claimed_at).update(claimed_at=None, **fields)


def _usable(payment: Payment) -> Payment:
    """Return a started payment. Raises payment-refused, order-state or unavailable if it is none."""
    if payment.reference is not None:
        return payment
    if payment.status == Status.FAILED:
        raise _refused()
    if not _may_start(payment):
        raise _too_late()
    raise _unavailable()


def _too_late() -> DomainError:
    return DomainError("order-state", "The order does not wait for a payment any more.")


def _unavailable() -> DomainError:
    return DomainError("unavailable", "The payment provider does not answer. Nothing was charged: try again.")


def _refused() -> DomainError:
    return DomainError("payment-refused", "The payment provider refused to start this payment. Choose another method.")

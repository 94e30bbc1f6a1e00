"""Events of providers: each is a hint that a worker should ask how a payment stands. Its body is not stored.

An event is stored once, however often it comes. One that comes before its payment has its reference is looked at
again, less and less often, for a day.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from outbox.dispatching import dispatch_task
from payments import asking, schedule
from payments.asking import Outcome
from payments.calling import faults_logged
from payments.models import Payment, ProviderEvent
from payments.providers import MODULES, provider
from payments.providers.base import Event, InvalidSignature, ProviderUnavailable
from productbackend.database.transactions import atomic_with_retry, in_slices
from productbackend.errors import DomainError

BODY_MAX = 65_536  # bytes
ID_MAX, KIND_MAX = 255, 100  # the columns' lengths
SWEEP_BATCH = 200
KEPT = timedelta(days=90)  # far longer than any provider sends an event again
# How long to wait after each look that found no payment or got no answer.
DELAYS = (
    timedelta(seconds=1),
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=6),
    timedelta(hours=15),
)


def receive(*, code: str, body: bytes, headers: Mapping[str, str]) -> None:
    """Check the signature over the raw body of an event and store the event, once; a worker looks at it.

    Raises not-found for a provider that the shop does not use, invalid-signature, malformed, and unavailable if the
    provider's code fails, all with nothing stored.
    """
    if code not in MODULES or not _is_used(code):
        raise DomainError("not-found", "The shop has no such payment provider.")
    try:
        with faults_logged(code, "An event"):
            event = provider(code).parse_event(body, headers)
    except InvalidSignature as error:
        raise DomainError("invalid-signature", "The event is not signed by the provider, or too old.") from error
    except ProviderUnavailable as error:
        raise DomainError("unavailable", "The event cannot be read now: send it again.") from error
    if not event.id or len(event.id) > ID_MAX or len(event.reference) > ID_MAX:
        raise DomainError("malformed", "The event's id or its payment's is too long, or missing.")
    _store(code, event)


def process(event_id: int) -> timedelta | None:
    """Ask how the event's payment stands; return after which time to look again, None for never.

    Nothing is done if the event is processed, not due, or looked at by another worker.
    """
    event = _claim(event_id)
    if event is None:
        return None
    payments = Payment.objects.filter(method=event.provider, reference=event.reference)
    payment_id = payments.values_list("pk", flat=True).first()
    if payment_id is not None and asking.ask_now(payment_id) == Outcome.ANSWERED:
        _release(event, processed_at=timezone.now(), due_at=None)
        return None
    # Also if another worker asks at this moment: perhaps it began before what the event tells.
    delay = DELAYS[event.attempts - 1] if event.attempts <= len(DELAYS) else None
    _release(event, due_at=timezone.now() + delay if delay else None)
    return delay


def due() -> list[int]:
    """Return the ids of the events that are due, oldest first, up to the batch size."""
    rows = ProviderEvent.objects.filter(schedule.due(timezone.now()), processed_at=None)
    return list(rows.order_by("due_at", "pk").values_list("pk", flat=True)[:SWEEP_BATCH])


def delete_old() -> int:
    """Delete the events that came more than `KEPT` ago; return how many. What they caused is in the ledger."""
    old = ProviderEvent.objects.filter(created_at__lt=timezone.now() - KEPT)
    return sum(rows.delete()[0] for rows in in_slices(old))


def _is_used(code: str) -> bool:
    """Whether customers can pay by the provider, or could: money of then may still move."""
    return code in settings.PAYMENT_METHODS or Payment.objects.filter(method=code).exists()


@atomic_with_retry
def _store(code: str, event: Event) -> None:
    now = timezone.now()
    is_ours = bool(event.reference)
    stored, created = ProviderEvent.objects.get_or_create(
        provider=code,
        event_id=event.id,
        defaults={
            "kind": event.kind[:KIND_MAX],
            "reference": event.reference,
            "due_at": now if is_ours else None,
            "processed_at": None if is_ours else now,
        },
    )
    if created and is_ours:
        transaction.on_commit(lambda: dispatch_task("payments.tasks.process_event", stored.pk), robust=True)


@atomic_with_retry
def _claim(event_id: int) -> ProviderEvent | None:
    """Claim a due event by moving its next look, and return it; None if it is not due, or another worker has it."""
    now = timezone.now()
    rows = ProviderEvent.objects.filter(schedule.due(now), pk=event_id, processed_at=None)
    if not rows.update(attempts=F("attempts") + 1, due_at=now + schedule.LEASE):
        return None
    return ProviderEvent.objects.get(pk=event_id)


@atomic_with_retry
def _release(event: ProviderEvent, **fields: datetime | None) -> None:
    """Write the outcome of a look, unless another worker has looked since."""
    ProviderEvent.objects.filter(pk=event.pk, attempts=event.attempts, processed_at=None).update(**fields)

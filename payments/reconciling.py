"""Reconciling: compares the ledger with the books of each provider, and brings in what only the provider knows.

Every payment that a provider lists is settled, so refunds from its own site and lost events come in. What differs even
then is asked about once more, since a payment may move meanwhile, and stored for staff until a later run finds it
correct.
"""

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.utils import timezone

from payments import differences
from payments.calling import faults_logged
from payments.ledger import INTO, ZERO, reversal_reference
from payments.models import Difference, MoneyMovement, Payment
from payments.providers import MODULES, provider
from payments.providers.base import (
    Money,
    Provider,
    ProviderRefused,
    ProviderUnavailable,
    RefundSnapshot,
    RefundState,
    Snapshot,
)
from payments.settling import settle

logger = logging.getLogger(__name__)

Kind = MoneyMovement.Kind
PERIOD = timedelta(days=2)
Book = dict[tuple[str, str], Decimal]  # (kind, the provider's reference) -> amount


def in_use() -> list[str]:
    """The codes of the providers that the shop offers, or has payments of."""
    used = set(Payment.objects.order_by().values_list("method", flat=True).distinct())
    return [code for code in MODULES if code in used or code in settings.PAYMENT_METHODS]


def reconcile_all(period: timedelta = PERIOD) -> tuple[int, list[str]]:
    """Compare all providers' books of the period; return how many payments, and the providers that did not answer."""
    checked, silent = 0, []
    for code in in_use():
        try:
            checked += reconcile(code, timezone.now() - period)
        # Refused: no payment, but the list itself. ImportError: its library was removed since.
        except (ProviderUnavailable, ProviderRefused, ImportError) as error:
            logger.warning("The books of %s were not compared: %s", code, error)
            silent.append(code)
    return checked, silent


def reconcile(code: str, since: datetime) -> int:
    """Compare the books of a provider since then; return how many payments were compared.

    Those with a stored difference are compared too, whatever their age. Raises ProviderUnavailable or ProviderRefused.
    """
    source, seen = provider(code), set()
    own = Payment.objects.filter(method=code, reference__isnull=False, created_at__gte=since)
    references = list(own.order_by("pk").values_list("reference", flat=True))
    for snapshot in _listed(source, since):
        seen.add(snapshot.reference)
        _compare(source, snapshot)
    stored = Difference.objects.filter(key__startswith=_key(code, "")).values_list("key", flat=True)
    again = [*references, *(key.removeprefix(_key(code, "")) for key in stored)]
    for reference in dict.fromkeys(filter(None, again)):
        if reference not in seen:
            seen.add(reference)
            _ask(source, reference)
    return len(seen)


def _listed(source: Provider, since: datetime) -> Iterator[Snapshot]:
    """What the provider lists. Raises ProviderUnavailable also if its code fails: others are compared all the same."""
    with faults_logged(source.code, "The comparison"):
        yield from source.list_since(since)


def _fetched(source: Provider, reference: str) -> Snapshot:
    """How the payment stands. Raises ProviderUnavailable, also if the provider's code fails, or ProviderRefused."""
    with faults_logged(source.code, "The comparison"):
        return source.fetch(reference)


def _ask(source: Provider, reference: str) -> None:
    """Compare a payment that the provider did not list."""
    try:
        snapshot = _fetched(source, reference)
    except ProviderRefused as error:
        payment = _payment(source.code, reference)
        if payment is None:
            return differences.remove(_key(source.code, reference))
        text = f"{source.code} does not know the payment {reference} of order {payment.order.number}: {error}"
        return _store(source.code, reference, Difference.Kind.UNKNOWN_PAYMENT, text, payment.amount, payment)
    return _compare(source, snapshot)


def _compare(source: Provider, snapshot: Snapshot) -> None:
    """Settle the payment by the snapshot, and store what differs even then."""
    key, reference = _key(source.code, snapshot.reference), snapshot.reference
    payment = _payment(source.code, reference, snapshot.key)
    if payment is None:
        kept = _kept(_theirs(snapshot))
        if kept <= ZERO:
            return differences.remove(key)
        text = f"{source.code} has money of the payment {reference}, which belongs to no order here"
        return _store(source.code, reference, Difference.Kind.UNKNOWN_MONEY, text, kept, currency=snapshot.currency)
    settle(payment_id=payment.pk, snapshot=snapshot)
    if _ours(payment) != _theirs(snapshot):
        snapshot = _fetched(source, reference)
        settle(payment_id=payment.pk, snapshot=snapshot)
    ours, theirs = _ours(payment), _theirs(snapshot)
    if ours == theirs:
        return differences.remove(key)
    faults = ", ".join(_faults(ours, theirs, source.code))
    text = f"payment {reference} of order {payment.order.number}: {faults}"
    return _store(source.code, reference, Difference.Kind.BOOKS, text, abs(_kept(theirs) - _kept(ours)), payment)


def _payment(code: str, reference: str, key: str = "") -> Payment | None:
    rows = Payment.objects.select_related("order").filter(method=code)
    found = rows.filter(reference=reference).first()
    return found or (rows.filter(key=key).first() if key else None)


def _ours(payment: Payment) -> Book:
    """The ledger. A refund and its reversal are none: the provider's books show it as failed, with no movement."""
    rows = MoneyMovement.objects.filter(payment=payment).values_list("kind", "reference", "amount")
    book = {(kind, reference): amount for kind, reference, amount in rows}
    for kind, reference in list(book):
        reversal = (Kind.REFUND_REVERSAL.value, reversal_reference(reference))
        if kind == Kind.REFUND and book.get(reversal) == book[kind, reference]:
            del book[kind, reference], book[reversal]
    return book


def _theirs(snapshot: Snapshot) -> Book:
    moneys: dict[Kind, Sequence[Money | RefundSnapshot]] = {
        Kind.CAPTURE: snapshot.captures,
        Kind.REFUND: [refund for refund in snapshot.refunds if refund.state == RefundState.DONE],
        Kind.CHARGEBACK: snapshot.chargebacks,
        Kind.CHARGEBACK_REVERSAL: snapshot.chargeback_reversals,
    }
    return {(kind.value, money.reference): money.amount for kind, rows in moneys.items() for money in rows}


def _kept(book: Book) -> Decimal:
    """What the shop has by these books."""
    return sum((amount if kind in INTO else -amount for (kind, _), amount in book.items()), ZERO)


def _faults(ours: Book, theirs: Book, code: str) -> Iterator[str]:
    for kind, reference in sorted({*ours, *theirs}):
        our, their = ours.get((kind, reference)), theirs.get((kind, reference))
        if our != their:
            yield f"{kind} {reference} is {their or 'missing'} at {code} and {our or 'missing'} in the ledger"


def _key(code: str, reference: str) -> str:
    return f"provider:{code}:{reference}"


def _store(
    code: str,
    reference: str,
    kind: Difference.Kind,
    text: str,
    amount: Decimal,
    payment: Payment | None = None,
    currency: str = "",
) -> None:
    logger.error("%s", text)
    differences.store(
        _key(code, reference),
        kind,
        text,
        amount=amount,
        order_id=payment.order_id if payment else None,
        currency=payment.currency if payment else currency,
    )

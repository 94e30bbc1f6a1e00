"""Tax rates: which are in force; creates, changes and deletes them."""

from collections import defaultdict
from collections.abc import Callable, Collection
from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import CharField, DateField, Exists, OuterRef, Q
from django.utils import timezone

from productbackend.database import recorded
from productbackend.database.statements import SelectRows, slot, slots
from productbackend.database.transactions import atomic_with_retry
from productbackend.errors import DomainError, InvalidValue
from taxes.models import TaxRate

Rates = dict[str, Decimal]  # class -> percent
Precondition = Callable[[TaxRate], None]  # may refuse by raising DomainError

BEGUN = SelectRows(
    lambda count: (
        TaxRate.objects.filter(country__in=slots(count, CharField()), valid_from__lte=slot("today", DateField()))
        .order_by("valid_from")
        .values_list("country", "tax_class", "rate", named=True)
    )
)


def today() -> date:
    """The day in the shop's time zone: a rate begins at that zone's midnight."""
    return timezone.localdate(timezone=ZoneInfo(settings.SHOP_TIME_ZONE))


def rates_in(countries: Collection[str]) -> dict[str, Rates]:
    """Return the rates that are in force today in each of `countries`, by one query."""
    found: dict[str, Rates] = defaultdict(dict)
    for country, tax_class, rate in BEGUN.of_list(list(countries), today=today()):
        found[country][tax_class] = rate  # a later row replaces an earlier one
    return found


def in_force() -> Q:
    """The condition for the rates that are in force today: no later one of their class and country has begun."""
    same = {"country": OuterRef("country"), "tax_class": OuterRef("tax_class")}
    later = TaxRate.objects.filter(valid_from__gt=OuterRef("valid_from"), valid_from__lte=today(), **same)
    return Q(~Exists(later), valid_from__lte=today())


@atomic_with_retry
def create(**fields: Any) -> TaxRate:
    """Create a tax rate; it begins today if `valid_from` is not given. Raises InvalidValue."""
    rate = TaxRate(**{"valid_from": today()} | fields)
    _save(rate)
    return rate


@atomic_with_retry
def change(*, rate_id: int, precondition: Precondition = lambda rate: None, **fields: Any) -> TaxRate:
    """Change a tax rate. Carts have it from now on; orders keep their tax.

    `precondition` is called with the locked rate first, and may raise DomainError.
    Raises InvalidValue, and DomainError `not-found`.
    """
    rate = locked_rate(rate_id)
    recorded.watch(rate)
    precondition(rate)
    for name, value in fields.items():
        setattr(rate, name, value)
    _save(rate)
    return rate


@atomic_with_retry
def delete(*, rate_id: int, precondition: Precondition = lambda rate: None) -> None:
    """Delete a tax rate: the one before it is in force again.

    `precondition` is called with the locked rate first, and may raise DomainError. Raises DomainError `not-found`.
    """
    rate = locked_rate(rate_id)
    precondition(rate)
    rate.delete()


def locked_rate(rate_id: int) -> TaxRate:
    rate = TaxRate.objects.select_for_update().filter(pk=rate_id).first()
    if rate is None:
        raise DomainError("not-found", "There is no such tax rate.")
    return rate


def _save(rate: TaxRate) -> None:
    try:
        with transaction.atomic():
            rate.save()
    except IntegrityError:
        same = {"country": rate.country, "tax_class": rate.tax_class, "valid_from": rate.valid_from}
        if TaxRate.objects.filter(**same).exclude(pk=rate.pk).exists():
            detail = "This class has a rate in that country from that day on already."
            raise InvalidValue("valid_from", "unique", detail) from None
        raise

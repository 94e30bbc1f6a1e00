"""Creates, changes and deletes delivery methods."""

from collections.abc import Callable
from typing import Any

from django.db import IntegrityError, transaction

from delivery.models import DeliveryMethod
from productbackend.database import recorded
from productbackend.database.transactions import atomic_with_retry
from productbackend.errors import DomainError, InvalidValue

Precondition = Callable[[DeliveryMethod], None]  # may refuse by raising DomainError


@atomic_with_retry
def create(**fields: Any) -> DeliveryMethod:
    """Create a delivery method. Raises InvalidValue."""
    method = DeliveryMethod(**fields)
    save(method)
    return method


@atomic_with_retry
def change(*, method_id: int, precondition: Precondition = lambda method: None, **fields: Any) -> DeliveryMethod:
    """Change a delivery method. Carts that have chosen it are offered what it is now; orders keep what was paid.

    `precondition` is called with the locked method first, and may raise DomainError.
    Raises InvalidValue, and DomainError `not-found`.
    """
    method = locked_method(method_id)
    recorded.watch(method)
    precondition(method)
    for name, value in fields.items():
        setattr(method, name, value)
    save(method)
    return method


@atomic_with_retry
def delete(*, method_id: int, precondition: Precondition = lambda method: None) -> None:
    """Delete a delivery method. Carts that have chosen it cannot be checked out until they choose another.

    `precondition` is called with the locked method first, and may raise DomainError. Raises DomainError `not-found`.
    """
    method = locked_method(method_id)
    precondition(method)
    method.delete()


def locked_method(method_id: int) -> DeliveryMethod:
    method = DeliveryMethod.objects.select_for_update().filter(pk=method_id).first()
    if method is None:
        raise DomainError("not-found", "There is no such delivery method.")
    return method


def save(method: DeliveryMethod) -> None:
    """Save a method in the caller's transaction, with each of its countries once. Raises InvalidValue."""
    check_limits(method)
    method.countries = list(dict.fromkeys(method.countries))
    try:
        with transaction.atomic():
            method.save()
    except IntegrityError:
        if DeliveryMethod.objects.filter(code=method.code).exclude(pk=method.pk).exists():
            raise InvalidValue("code", "unique", "Another delivery method has this code.") from None
        raise


def check_limits(method: DeliveryMethod) -> None:
    """Raise InvalidValue if no amount is within the method's limits."""
    if method.min_amount is not None and method.max_amount is not None and method.min_amount > method.max_amount:
        raise InvalidValue("min_amount", "max_value", f"It is above max_amount, which is {method.max_amount:.2f}.")

"""The postal addresses of a user. Every write locks the user's row: a book has one default and a bounded size."""

from collections.abc import Callable, Collection

from accounts.models import Address, User
from accounts.profile import locked_user
from productbackend.database.postal_addresses import PostalAddress
from productbackend.database.transactions import atomic_with_retry
from productbackend.errors import DomainError, InvalidValue

ADDRESSES_MAX = 100  # of a user

Precondition = Callable[[Address], None]  # may refuse by raising DomainError


@atomic_with_retry
def add(*, user: User, address: PostalAddress, is_default: bool = False) -> Address:
    """Add an address to the user's book. A new default replaces the previous one.

    Raises InvalidValue if the book is full.
    """
    locked_user(user)
    if Address.objects.filter(user=user).count() >= ADDRESSES_MAX:
        detail = f"An address book has at most {ADDRESSES_MAX} addresses: delete one first."
        raise InvalidValue(None, "max_addresses", detail)
    row = Address(user=user, is_default=is_default)
    row.postal_address = address
    _save(row)
    return row


@atomic_with_retry
def change(
    *,
    user: User,
    address_id: int,
    is_default: bool | None = None,
    precondition: Precondition = lambda address: None,
    **parts: str,
) -> Address:
    """Change parts of an address, such as `city`. A new default replaces the previous one.

    `precondition` is called first, with the address locked. Raises not-found, and whatever `precondition` raises.
    """
    row = locked_address(user, address_id)
    precondition(row)
    for part, value in parts.items():
        setattr(row, part, value)
    if is_default is not None:
        row.is_default = is_default
    _save(row)
    return row


@atomic_with_retry
def delete(*, user: User, address_id: int, precondition: Precondition = lambda address: None) -> None:
    """Delete an address from the book. Carts and orders have copies of their own.

    `precondition` is called first, with the address locked. Raises not-found, and whatever `precondition` raises.
    """
    row = locked_address(user, address_id)
    precondition(row)
    row.delete()


def find_addresses(*, user_id: int | None, ids: Collection[int]) -> dict[int, PostalAddress]:
    """Return those addresses of the user that have one of `ids`, by id. A guest, who is no user, has none."""
    if user_id is None:
        return {}
    found = {row.pk: row.postal_address for row in Address.objects.filter(user=user_id, pk__in=ids)}
    return {pk: address for pk, address in found.items() if address is not None}


def locked_address(user: User, address_id: int) -> Address:
    """Return an address of the user, with the user's row locked. Raises not-found."""
    locked_user(user)
    row = Address.objects.filter(user=user, pk=address_id).first()
    if row is None:
        raise DomainError("not-found", "There is no such address.")
    return row


def _save(row: Address) -> None:
    """Save an address, and if it is the default, unset the previous one."""
    row.save()
    if row.is_default:
        Address.objects.filter(user=row.user_id, is_default=True).exclude(pk=row.pk).update(is_default=False)

"""What a cart says of its order besides the items: how to reach the customer, addresses, the delivery method."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from accounts.address_book import find_addresses
from carts import items
from carts.models import Cart
from delivery.models import DeliveryMethod
from productbackend.database.postal_addresses import PostalAddress, PostalAddressColumns
from productbackend.database.transactions import atomic_with_retry
from productbackend.errors import InvalidValue


@dataclass(frozen=True)
class BookAddress:
    """The id of an address in the address book of the cart's owner. The cart gets a copy."""

    id: int


Details = Mapping[str, str | PostalAddress | BookAddress | None]


@atomic_with_retry
def change(*, cart_id: int, details: Details, precondition: Callable[[Cart], None] = lambda cart: None) -> None:
    """Set details of a cart, such as `note` or `shipping_address`; those that are not given stay.

    `precondition` is called first, with the cart locked. Raises not-found, InvalidValue for an unknown delivery method
    or address, or whatever `precondition` raises.
    """
    cart = items.locked_cart(Cart.objects.filter(pk=cart_id))
    precondition(cart)
    code = details.get("delivery_method")
    if code and not DeliveryMethod.objects.filter(code=code).exists():
        raise unknown_method()
    if details:
        cart.save(update_fields={*set_details(cart, details), "updated_at"})


def unknown_method() -> InvalidValue:
    return InvalidValue("delivery_method", "does_not_exist", "There is no such delivery method.")


def set_details(cart: Cart, details: Details) -> list[str]:
    """Set details of a cart without saving it; return their columns. What it costs is to be computed again.

    Raises InvalidValue for an address that is not in the book of the cart's owner. Does not check the delivery method.
    """
    columns: list[str] = []
    for name, value in _with_addresses(cart, details).items():
        setattr(cart, name, value)
        attribute = getattr(Cart, name)
        columns += attribute.columns if isinstance(attribute, PostalAddressColumns) else [name]
    cart.quote = None
    return columns


def _with_addresses(cart: Cart, details: Details) -> dict[str, Any]:
    """`details` with a copy of each address that is given by its id. Takes one query at most."""
    wanted = {name: value.id for name, value in details.items() if isinstance(value, BookAddress)}
    if not wanted:
        return dict(details)
    found = find_addresses(user_id=cart.user_id, ids=set(wanted.values()))
    for name, address_id in wanted.items():
        if address_id not in found:
            raise InvalidValue(f"{name}.id", "does_not_exist", "There is no such address in the address book.")
    return {**details, **{name: found[address_id] for name, address_id in wanted.items()}}

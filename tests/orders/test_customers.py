"""A customer is a user or a guest."""

import pytest

from accounts.models import Guest, User
from orders.customers import Customer
from orders.models import Order


def test_a_customer_is_a_user_or_a_guest_and_owns_orders() -> None:
    user, guest = User(pk=7), Guest(pk=7)
    as_user, as_guest = Customer(user=user), Customer(guest=guest)
    assert (as_user.owner, as_guest.owner) == ({"user": user}, {"guest": guest})
    assert as_user.key_owner != as_guest.key_owner
    assert (as_user.owns(Order(user=user)), as_user.owns(Order(guest=guest)), as_user.owns(Order())) == (
        True,
        False,
        False,
    )
    assert (as_guest.owns(Order(user=user)), as_guest.owns(Order(guest=guest)), as_guest.owns(Order())) == (
        False,
        True,
        False,
    )


@pytest.mark.parametrize("owner", [{}, {"user": User(pk=1), "guest": Guest(pk=1)}])
def test_a_customer_is_not_both_and_not_nobody(owner: dict[str, User | Guest]) -> None:
    with pytest.raises(ValueError, match="a user or a guest"):
        Customer(**owner)  # type: ignore[arg-type]

"""Who buys: a user with an account, or a guest."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orders.models import Order

if TYPE_CHECKING:
    from accounts.models import Guest, User


@dataclass(frozen=True)
class Customer:
    """A user or a guest: exactly one of them."""

    user: "User | None" = None
    guest: "Guest | None" = None

    def __post_init__(self) -> None:
        if (self.user is None) == (self.guest is None):
            raise ValueError("a customer is a user or a guest")

    @property
    def owner(self) -> dict[str, Any]:
        """The column of a cart or an order that names the customer, with its value: a lookup of the customer's rows."""
        return {"user": self.user} if self.user else {"guest": self.guest}

    def owns(self, order: Order) -> bool:
        return order.user_id == self.user.pk if self.user else order.guest_id == self.guest.pk  # type: ignore[union-attr]

    @property
    def key_owner(self) -> str:
        """The text to which the customer's idempotency keys are scoped."""
        return f"user:{self.user.pk}" if self.user else f"guest:{self.guest.pk}"  # type: ignore[union-attr]

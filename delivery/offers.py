"""Which delivery methods are offered for a cart, at which price, or why not."""

from dataclasses import dataclass
from decimal import Decimal

from django_countries import countries

from delivery.models import DeliveryMethod

REASONS = ["inactive", "address_missing", "country", "amount_too_low", "amount_too_high"]


@dataclass(frozen=True)
class Offer:
    """A method with its price for a cart. `reason` is one of REASONS if it cannot be chosen, else None."""

    method: DeliveryMethod
    price: Decimal
    reason: str | None

    @property
    def available(self) -> bool:
        return self.reason is None


def offer(method: DeliveryMethod, *, items: Decimal, country: str | None) -> Offer:
    """Return what `method` costs for goods of the amount `items`; `country` is the shipping address's, or None."""
    is_free = method.free_from is not None and items >= method.free_from
    return Offer(method, Decimal("0.00") if is_free else method.price, _reason(method, items, country))


def _reason(method: DeliveryMethod, items: Decimal, country: str | None) -> str | None:
    if not method.is_active:
        return "inactive"
    if method.needs_address and country is None:
        return "address_missing"
    if method.countries and country is not None and country not in method.countries:
        return "country"
    if method.min_amount is not None and items < method.min_amount:
        return "amount_too_low"
    if method.max_amount is not None and items > method.max_amount:
        return "amount_too_high"
    return None


def defect(method: DeliveryMethod) -> str | None:
    """Why nobody can choose `method`, wherever they live and whatever they buy; None if somebody can."""
    if method.min_amount is not None and method.max_amount is not None and method.min_amount > method.max_amount:
        return "its min_amount is above its max_amount"
    if method.needs_address and method.countries and not any(code in countries for code in method.countries):
        return "none of its countries exists"
    return None

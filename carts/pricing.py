"""What a cart costs now, and what its checkout lacks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db.models import CharField, Q

from carts.models import Cart
from delivery.models import DeliveryMethod
from delivery.offers import Offer, offer
from orders.amounts import Amounts, Charge, amounts
from productbackend.database.statements import Select, slots
from taxes.rates import Rates, rates_in

NO_CODE = ""  # no method has it
METHODS = Select(lambda count: DeliveryMethod.objects.filter(Q(is_active=True) | Q(code__in=slots(count, CharField()))))


@dataclass(frozen=True)
class Terms:
    """The delivery methods by code, active ones and those that carts have chosen, and the tax rates by country."""

    methods: Mapping[str, DeliveryMethod]
    rates: Mapping[str, Rates]


@dataclass(frozen=True)
class Quote:
    """What a cart costs. `offer` is of the chosen delivery method; None if none is chosen or it was deleted."""

    amounts: Amounts
    rates: Rates
    offer: Offer | None
    missing: list[str]


def quote_cart(cart: Cart) -> Quote:
    """Set and return `quote` of a cart. Takes two queries at most, if its items and products have been read."""
    cart.quote = quote(cart, terms_for([cart]))
    return cart.quote


def quote_carts(carts: Sequence[Cart]) -> None:
    """Set `quote` of carts whose items and products have been read. Takes two queries at most."""
    terms = terms_for(carts)
    for cart in carts:
        cart.quote = quote(cart, terms)


def terms_for(carts: Sequence[Cart]) -> Terms:
    """Read what `carts` need. A shop without delivery methods and tax rates costs no query."""
    methods: dict[str, DeliveryMethod] = {}
    codes = {cart.delivery_method for cart in carts if cart.delivery_method}
    if codes or _any(carts, "has_delivery"):
        methods = {method.code: method for method in METHODS.of_list(list(codes) or [NO_CODE])}
    if _any(carts, "has_taxes"):
        return Terms(methods, rates_in({tax_country(cart) for cart in carts}))
    return Terms(methods, {})


def _any(carts: Sequence[Cart], annotation: str) -> bool:
    """Whether the manager's annotation is true of any cart. A cart that was just created has none: it may be."""
    return any(getattr(cart, annotation, True) for cart in carts)


def tax_country(cart: Cart) -> str:
    """The country whose tax applies; empty if it is unknown."""
    return cart.shipping_address.country if cart.shipping_address else settings.SHOP_COUNTRY


def quote(cart: Cart, terms: Terms) -> Quote:
    """Return what `cart` costs under `terms`. A deleted product costs nothing."""
    rates = terms.rates.get(tax_country(cart), {})
    lines = [
        Charge(item.product.price * item.quantity, rates.get(item.product.tax_class))
        for item in cart.lines
        if item.product is not None
    ]
    chosen = terms.methods.get(cart.delivery_method)
    found = offer_for(cart, chosen) if chosen else None
    delivery = Charge(found.price, rates.get(found.method.tax_class)) if found else None
    sums = amounts(lines, delivery, prices_include_tax=settings.PRICES_INCLUDE_TAX)
    return Quote(sums, rates, found, _missing(cart, terms))


def offers_for(cart: Cart) -> list[Offer]:
    """Return every active method with its price for `cart`, in their order."""
    return [offer_for(cart, method) for method in DeliveryMethod.objects.filter(is_active=True)]


def offer_for(cart: Cart, method: DeliveryMethod) -> Offer:
    return offer(method, items=cart.total, country=cart.shipping_address.country if cart.shipping_address else None)


def _missing(cart: Cart, terms: Terms) -> list[str]:
    """What checkout still needs. An account is reachable without an e-mail address."""
    missing = [] if cart.user_id or cart.email else ["email"]
    active = [method for method in terms.methods.values() if method.is_active]
    chosen = terms.methods.get(cart.delivery_method)
    if chosen is not None:
        needs_address = chosen.needs_address
    else:  # nothing is chosen yet, or the method was deleted: another one that needs no address may be chosen
        needs_address = not cart.delivery_method and all(method.needs_address for method in active)
    if active and needs_address and cart.shipping_address is None:
        missing.append("shipping_address")
    if active and not cart.delivery_method:
        missing.append("delivery_method")
    return missing

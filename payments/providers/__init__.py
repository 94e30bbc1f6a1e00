"""The providers by their codes."""

from functools import cache
from importlib import import_module

from django.conf import settings

from payments.providers.base import Provider

MODULES = {
    "stripe": "payments.providers.stripe",
    "transfer": "payments.providers.transfer",
    "test": "payments.providers.test",
}


@cache
def provider(code: str) -> Provider:
    """The provider with this code, offered or not: its payments from before are still settled.

    Raises KeyError for an unknown code. The module is imported here: the library of one that is not used need not be
    installed.
    """
    created: Provider = import_module(MODULES[code]).create()
    return created


def offered() -> list[Provider]:
    """The providers by which customers can pay now, in the order of PAYMENT_METHODS."""
    return [provider(code) for code in settings.PAYMENT_METHODS]

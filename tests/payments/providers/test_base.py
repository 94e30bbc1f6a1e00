"""Every provider has what the protocol demands, with the same parameters."""

import inspect
from collections.abc import Callable
from decimal import Decimal
from importlib.util import find_spec
from typing import Any

import pytest
from django.utils import timezone

from payments.providers import MODULES, provider
from payments.providers.base import Money, Provider, RefundSnapshot, RefundState
from tests.payments.books import Books

METHODS = ["start", "fetch", "cancel", "refund", "parse_event", "list_since"]
PROVIDERS = [code for code, module in MODULES.items() if find_spec(module) and (code != "stripe" or find_spec(code))]


def parameters(method: Callable[..., object]) -> list[tuple[str, object]]:
    return [
        (name, parameter.kind) for name, parameter in inspect.signature(method).parameters.items() if name != "self"
    ]


def require_protocol(made: Provider) -> None:
    for name in METHODS:
        assert parameters(getattr(made, name)) == parameters(getattr(Provider, name)), name
    assert isinstance(made.instructions, str)
    assert made.name


def test_the_books_of_the_tests_are_a_provider(books: Books) -> None:
    require_protocol(provider("books"))
    assert provider("books").code == "books"


@pytest.mark.parametrize("code", PROVIDERS)
def test_a_provider_of_the_shop(code: str) -> None:
    require_protocol(provider(code))
    assert provider(code).code == code


NOW = timezone.now()


@pytest.mark.parametrize(
    "change",
    [
        {"reference": ""},
        {"reference": "x" * 256},
        {"amount": Decimal("-0.01")},
        {"amount": Decimal("0.001")},
        {"amount": Decimal("NaN")},
        {"amount": Decimal("1e18")},
        {"amount": 1.5},
        {"occurred_at": NOW.replace(tzinfo=None)},
    ],
)
def test_what_the_ledger_cannot_store_is_refused_where_it_is_read(change: Any) -> None:
    good: dict[str, Any] = {"reference": "x" * 255, "amount": Decimal("999999999999999999.99"), "occurred_at": NOW}
    Money(**good)
    RefundSnapshot(**good, state=RefundState.DONE)
    for refused in (lambda: Money(**good | change), lambda: RefundSnapshot(**good | change, state=RefundState.DONE)):
        with pytest.raises(ValueError):
            refused()

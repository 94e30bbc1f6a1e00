"""Which methods are offered for a cart, at which price, or why not."""

from decimal import Decimal
from typing import Any

import pytest

from delivery.models import DeliveryMethod
from delivery.offers import REASONS, defect, offer

pytestmark = pytest.mark.embedded


def method(**fields: Any) -> DeliveryMethod:
    amounts = {name: Decimal(value) for name, value in fields.items() if isinstance(value, str)}
    return DeliveryMethod(code="parcel", name="Parcel", **{"price": Decimal("4.90")} | fields | amounts)


CASES: list[tuple[dict[str, Any], str, str | None, str | None]] = [
    ({}, "10.00", "DE", None),
    ({}, "0.00", "DE", None),
    ({"is_active": False}, "10.00", "DE", "inactive"),
    ({}, "10.00", None, "address_missing"),
    ({"needs_address": False}, "10.00", None, None),
    ({"countries": ["DE", "AT"]}, "10.00", "AT", None),
    ({"countries": ["DE", "AT"]}, "10.00", "CH", "country"),
    ({"countries": ["DE"], "needs_address": False}, "10.00", None, None),
    ({"countries": ["DE"], "needs_address": False}, "10.00", "CH", "country"),
    ({"min_amount": "10.00"}, "9.99", "DE", "amount_too_low"),
    ({"min_amount": "10.00"}, "10.00", "DE", None),
    ({"max_amount": "10.00"}, "10.00", "DE", None),
    ({"max_amount": "10.00"}, "10.01", "DE", "amount_too_high"),
    ({"min_amount": "10.00", "max_amount": "10.00"}, "10.00", "DE", None),
]


@pytest.mark.parametrize(("fields", "items", "country", "reason"), CASES)
def test_a_method_is_offered_or_says_why_not(
    fields: dict[str, Any], items: str, country: str | None, reason: str | None
) -> None:
    found = offer(method(**fields), items=Decimal(items), country=country)
    assert (found.reason, found.available) == (reason, reason is None)


def test_each_reason_has_a_case() -> None:
    assert {reason for *_, reason in CASES} == {None, *REASONS}


@pytest.mark.parametrize(
    ("free_from", "items", "price"),
    [
        ("50.00", "49.99", "4.90"),
        ("50.00", "50.00", "0.00"),
        ("50.00", "50.01", "0.00"),
        ("0.00", "0.00", "0.00"),
        (None, "999999999999999999.99", "4.90"),
    ],
)
def test_delivery_is_free_from_exactly_that_amount(free_from: str | None, items: str, price: str) -> None:
    found = offer(method(free_from=free_from), items=Decimal(items), country="DE")
    assert found.price == Decimal(price)


def test_a_price_is_shown_for_a_method_that_is_not_offered() -> None:
    found = offer(method(countries=["AT"]), items=Decimal("10.00"), country="DE")
    assert (found.price, found.reason) == (Decimal("4.90"), "country")


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({}, None),
        ({"min_amount": "10.00", "max_amount": "10.00"}, None),
        ({"min_amount": "10.01", "max_amount": "10.00"}, "its min_amount is above its max_amount"),
        ({"countries": ["XX"]}, "none of its countries exists"),
        ({"countries": ["XX", "DE"]}, None),
        ({"countries": ["XX"], "needs_address": False}, None),
    ],
)
def test_a_method_that_nobody_can_choose_has_a_defect(fields: dict[str, Any], text: str | None) -> None:
    assert defect(method(**fields)) == text

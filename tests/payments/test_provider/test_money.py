"""Amounts are texts with two decimals."""

import pytest

from payments.test_provider import money

pytestmark = pytest.mark.embedded


@pytest.mark.parametrize("text", ["0.01", "0.10", "1.00", "19.90", "999999999999999.99"])
def test_an_amount_is_read_and_written_as_it_is(text: str) -> None:
    assert money.amount(money.cents(text)) == text


@pytest.mark.parametrize(
    "value", ["", "0.00", "1", "1.0", "1.000", "-1.00", "01.00", "1,00", "1e2", "१.00", " 1.00", 1.0, None, []]
)
def test_anything_else_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="two decimals"):
        money.cents(value)


def test_a_time_ends_in_z() -> None:
    assert money.time(0) == "1970-01-01T00:00:00Z"

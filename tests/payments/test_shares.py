"""The shares of a line: they sum up to its total, whatever was refunded before."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from payments.shares import share

CENTS = st.integers(0, 10**11).map(lambda cents: Decimal(cents).scaleb(-2))


@given(CENTS, st.integers(1, 200), st.data())
def test_all_shares_sum_up_to_the_total(total: Decimal, bought: int, data: st.DataObject) -> None:
    """Some shares are taken back in between, as those of failed refunds are."""
    taken: list[tuple[int, Decimal]] = []
    while (left := bought - sum(pieces for pieces, _ in taken)) > 0:
        pieces = data.draw(st.integers(1, left))
        before, refunded = bought - left, sum((amount for _, amount in taken), Decimal("0.00"))
        amount = share(total, bought=bought, before=before, pieces=pieces, refunded=refunded)
        assert amount >= 0
        taken.append((pieces, amount))
        if len(taken) > 1 and data.draw(st.integers(0, 9)) == 0:
            taken.pop(data.draw(st.integers(0, len(taken) - 1)))
    assert sum(amount for _, amount in taken) == total


def test_each_share_is_rounded_half_up() -> None:
    zero = Decimal("0.00")
    assert share(Decimal("0.01"), bought=2, before=0, pieces=1, refunded=zero) == Decimal("0.01")
    assert share(Decimal("10.00"), bought=3, before=0, pieces=1, refunded=zero) == Decimal("3.33")
    assert share(Decimal("10.00"), bought=3, before=0, pieces=2, refunded=zero) == Decimal("6.67")
    assert share(Decimal("10.00"), bought=3, before=1, pieces=1, refunded=Decimal("3.33")) == Decimal("3.34")
    assert share(Decimal("10.00"), bought=3, before=2, pieces=1, refunded=Decimal("6.67")) == Decimal("3.33")

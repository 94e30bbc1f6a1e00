"""Faults: what may be set, that a restart keeps it, and that a seed repeats it."""

from pathlib import Path
from typing import Any

import pytest

from payments.test_provider.faults import Faults, Injector, parse
from payments.test_provider.store import Store

pytestmark = pytest.mark.embedded


@pytest.fixture
def injector(tmp_path: Path) -> Injector:
    return Injector(Store(tmp_path / "books.sqlite3"))


@pytest.mark.parametrize(
    "members",
    [
        {"lose": 1.1}, {"lose": -0.1}, {"lose": "0.5"}, {"lose": True}, {"lose": None}, {"lose": float("nan")},
        {"delay_seconds": 61}, {"timeout_seconds": float("inf")}, {"unknown": 1},
        {"next_start": "pending"}, {"next_refund": "explodes"}, {"next_refund": ["refused"]},
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused(members: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        parse(members, Faults())


def test_a_restart_keeps_the_faults(injector: Injector, tmp_path: Path) -> None:
    injector.change({"lose": 0.25, "next_refund": "refused"})
    assert Injector(Store(tmp_path / "books.sqlite3")).faults == Faults(lose=0.25, next_refund="refused")


def test_a_fault_of_the_next_call_happens_once(injector: Injector, tmp_path: Path) -> None:
    injector.change({"next_start": "error"})
    assert [injector.take("next_start"), injector.take("next_start")] == ["error", ""]
    assert Injector(Store(tmp_path / "books.sqlite3")).faults.next_start == ""


def test_a_seed_repeats_what_happens_and_another_does_not(injector: Injector) -> None:
    def happened(seed: int) -> list[bool]:
        injector.change({"seed": seed, "lose": 0.5})
        return [injector.happens("lose") for _ in range(64)]

    assert happened(1) == happened(1)
    assert happened(1) != happened(2)
    assert 10 < sum(happened(3)) < 54


def test_nothing_happens_unless_it_is_set(injector: Injector) -> None:
    assert not any(injector.happens("lose") for _ in range(100))
    injector.change({"lose": 1})
    assert all(injector.happens("lose") for _ in range(100))

"""Limits of password guesses by the clock: 20 an hour, then slower; the total of a day."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from rest_framework.test import APIClient

from tests import factories
from tests.signing_in import sign_in

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.embedded,  # Redis has a clock of its own, which does not travel
]

WRONG = "wrong"
FREE = 20
HOUR = 3600


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        yield clock


@pytest.fixture(autouse=True)
def carla(db: Any) -> None:
    factories.user("carla")


def guess(api: APIClient, password: str = WRONG) -> Any:
    return sign_in(api, "carla", password)


def statuses(api: APIClient, count: int) -> list[int]:
    return [guess(api).status_code for _ in range(count)]


def test_guesses_above_the_limit_wait_with_backoff(api: APIClient, clock: time_machine.Traveller) -> None:
    assert statuses(api, FREE + 1) == [401] * FREE + [429]
    waits = []
    for _ in range(5):
        refused = guess(api)
        assert (refused.status_code, refused.json()["type"]) == (429, "/problems/throttled")
        waits.append(int(refused["Retry-After"]))
        assert guess(api, factories.PASSWORD).status_code == 429
        clock.shift(timedelta(seconds=waits[-1]))
        assert guess(api).status_code == 401
    assert waits == [61, 121, 241, 481, 961]
    # The correct password works after the wait.
    clock.shift(timedelta(seconds=int(guess(api)["Retry-After"])))
    assert guess(api, factories.PASSWORD).status_code == 200


def test_each_hour_has_20_guesses_without_a_wait(api: APIClient, clock: time_machine.Traveller) -> None:
    for _ in range(3):
        assert statuses(api, FREE + 1) == [401] * FREE + [429]
        clock.shift(timedelta(seconds=HOUR + 1))
    assert guess(api, factories.PASSWORD).status_code == 200


def test_a_correct_password_counts_as_no_guess(api: APIClient, clock: time_machine.Traveller) -> None:
    for _ in range(FREE + 5):
        assert guess(api, factories.PASSWORD).status_code == 200


def test_a_day_has_fewer_than_130_guesses(api: APIClient, clock: time_machine.Traveller) -> None:
    """An attacker who guesses as soon as a guess is checked. `docs/security.md` has this number."""
    checked, waits, now = 0, [], 0
    while now < 24 * HOUR:
        answer = guess(api)
        checked += answer.status_code == 401
        if answer.status_code == 429:
            waits.append(int(answer["Retry-After"]))
            clock.shift(timedelta(seconds=waits[-1]))
            now += waits[-1]
    assert 100 < checked < 130
    assert max(waits) == HOUR + 1

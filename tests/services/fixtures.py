"""The stacks that the faults act on: one of each kind for all of them, whole again before each."""

from collections.abc import Iterator

import pytest

from tests.services.servers import Missing
from tests.services.spread import Spread
from tests.services.stack import Stack, started


@pytest.fixture(scope="session")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    try:
        with started(Stack(tmp_path_factory.mktemp("stack"))) as stack:
            yield stack
    except Missing as missing:
        pytest.fail(str(missing), pytrace=False)


@pytest.fixture
def stack(standing: Stack) -> Stack:
    standing.heal()
    return standing


@pytest.fixture(scope="session")
def standing_spread(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spread]:
    try:
        with started(Spread(tmp_path_factory.mktemp("spread"))) as stack:
            yield stack
    except Missing as missing:
        pytest.fail(str(missing), pytrace=False)


@pytest.fixture
def spread(standing_spread: Spread) -> Spread:
    standing_spread.heal()
    return standing_spread

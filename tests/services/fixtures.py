"""The stack that the faults act on: one for all of them, whole again before each."""

from collections.abc import Iterator

import pytest

from tests.services.servers import Missing
from tests.services.stack import Stack, started


@pytest.fixture(scope="session")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    try:
        with started(tmp_path_factory.mktemp("stack")) as stack:
            yield stack
    except Missing as missing:
        pytest.fail(str(missing), pytrace=False)


@pytest.fixture
def stack(standing: Stack) -> Stack:
    standing.heal()
    return standing

"""The stacks for tests of faults: one of each kind for the session, healed before each test."""

from collections.abc import Iterator
from typing import TypeVar

import pytest

from tests.services.group import Grouped
from tests.services.servers import Missing
from tests.services.spread import Spread
from tests.services.stack import Stack, started

S = TypeVar("S", bound=Stack)


def one(stack: S) -> Iterator[S]:
    """Start the stack, and stop it at the end. Fails the test if a server is missing."""
    try:
        with started(stack):
            yield stack
    except Missing as missing:
        pytest.fail(str(missing), pytrace=False)


@pytest.fixture(scope="session")
def session_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    yield from one(Stack(tmp_path_factory.mktemp("stack")))


@pytest.fixture
def stack(session_stack: Stack) -> Stack:
    session_stack.heal()
    return session_stack


@pytest.fixture(scope="session")
def session_spread(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spread]:
    yield from one(Spread(tmp_path_factory.mktemp("spread")))


@pytest.fixture
def spread(session_spread: Spread) -> Spread:
    session_spread.heal()
    return session_spread


@pytest.fixture(scope="session")
def session_group(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grouped]:
    group = Grouped(tmp_path_factory.mktemp("group"))
    if group.database.is_mariadb:
        pytest.skip("MariaDB has no group replication")
    yield from one(group)


@pytest.fixture
def group(session_group: Grouped) -> Grouped:
    session_group.heal()
    return session_group

"""A Redis server that is unreachable."""

from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError


def refuse(monkeypatch: pytest.MonkeyPatch, store: Any, *names: str) -> None:
    """Let the named methods of a cache raise the error of a connection that is refused."""

    def refused(*args: Any, **kwargs: Any) -> None:
        raise RedisConnectionError("Connection refused")

    for name in names:
        monkeypatch.setattr(store, name, refused, raising=False)

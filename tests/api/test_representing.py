"""A serializer that is built once represents each instance, for each request and in each thread."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from types import SimpleNamespace
from typing import Any

import pytest
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from productbackend.api.representing import Representation

pytestmark = pytest.mark.embedded

THREADS = 4
met = Barrier(THREADS, timeout=10)


class PairSerializer(serializers.Serializer):
    left = serializers.IntegerField()
    right = serializers.SerializerMethodField()

    def get_right(self, pair: Any) -> Any:
        if pair.left < 0:
            raise ValidationError
        if pair.left < THREADS:
            met.wait()  # every thread is here before one reads its request
        return self.context.get("request")


@pytest.fixture
def built(monkeypatch: Any) -> list[None]:
    calls: list[None] = []
    get_fields = PairSerializer.get_fields

    def counted(self: PairSerializer) -> Any:
        calls.append(None)
        return get_fields(self)

    monkeypatch.setattr(PairSerializer, "get_fields", counted)
    return calls


def pair(left: int) -> Any:
    return SimpleNamespace(left=left)


def test_the_fields_are_built_once(built: list[None]) -> None:
    pairs = Representation(PairSerializer)
    for number in range(10, 13):
        request: Any = f"request {number}"
        assert pairs.of(pair(number), request) == {"left": number, "right": request}
    assert pairs.of(pair(20)) == {"left": 20, "right": None}
    assert len(built) == 1


def test_a_failure_leaves_no_request_behind() -> None:
    pairs = Representation(PairSerializer)
    request: Any = "a request"
    with pytest.raises(ValidationError):
        pairs.of(pair(-1), request)
    assert pairs.context == {}


def test_threads_do_not_see_each_others_requests() -> None:
    pairs = Representation(PairSerializer)
    requests: list[Any] = [f"request {number}" for number in range(THREADS)]
    with ThreadPoolExecutor(THREADS) as pool:
        found = list(pool.map(pairs.of, map(pair, range(THREADS)), requests))
    assert [row["right"] for row in found] == requests

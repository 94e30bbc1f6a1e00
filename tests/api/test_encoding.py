"""Responses are the same JSON as from DRF's encoder."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.utils.functional import lazystr
from rest_framework.exceptions import ErrorDetail
from rest_framework.renderers import JSONRenderer as DRFRenderer
from rest_framework.serializers import Serializer
from rest_framework.utils.serializer_helpers import ReturnDict

from productbackend.api.renderers import JSONRenderer

DATA: dict[str, Any] = {
    "time": datetime(2026, 1, 2, 3, 4, 5, 678901, UTC),
    "whole second": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    "day": date(2026, 1, 2),
    "span": timedelta(seconds=90),
    "price": Decimal("19.90"),
    "rating": [5.0, 4.1, 0.1],
    "many bits": 2**70,
    "id": UUID(int=1),
    "text": '東京 é \U0001f388 \u2028 " \\ \x00',
    "lazy": lazystr("later"),
    "detail": ErrorDetail("no", code="x"),
    "dict": ReturnDict({"a": (1, None, True)}, serializer=Serializer()),
    "keys": {1: "one"},
}


@pytest.mark.parametrize("name", DATA)
def test_the_output_equals_drfs(name: str) -> None:
    data = {name: DATA[name]}
    assert json.loads(JSONRenderer().render(data)) == json.loads(DRFRenderer().render(data))


def test_indented_json() -> None:
    assert JSONRenderer().render({"a": 1}, "application/json; indent=4") == b'{\n    "a": 1\n}'
    assert JSONRenderer().render(None) == b""

"""Cursors are opaque, authenticated, and bound to one list."""

import base64
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from rest_framework.test import APIClient

from productbackend.api import cursors
from tests import factories

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def decoded(cursor: str) -> bytes:
    return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))


def test_encoding_is_deterministic_and_reversible() -> None:
    for values in ({}, {"o": ["name_key", "id"], "d": "n", "v": ["ガラス 😀" * 40, 5]}, {"o": "rank", "v": 40}):
        cursor = cursors.encode("/products/", values)
        assert cursors.decode("/products/", cursor) == values
        assert cursors.encode("/products/", values) == cursor
        assert len(cursor) < cursors.LENGTH_MAX
        assert set(cursor) <= set(ALPHABET)


def test_a_cursor_reveals_neither_ids_nor_their_length() -> None:
    written = [cursors.encode("/orders/", {"o": ["-id"], "d": "n", "v": [pk]}) for pk in (7, 8, 1234567)]
    assert len({len(cursor) for cursor in written}) == 1
    assert not any(word in decoded(cursor) for cursor in written for word in (b"1234567", b"id", b'"v"'))
    first, second = (decoded(cursor) for cursor in written[:2])
    assert sum(one == other for one, other in zip(first, second, strict=True)) < len(first) // 4


def test_a_changed_cursor_is_rejected() -> None:
    cursor = cursors.encode("/products/", {"o": ["id"], "d": "n", "v": [5]})
    for index, character in enumerate(cursor[:-1]):
        other = ALPHABET[(ALPHABET.index(character) + 1) % len(ALPHABET)]
        with pytest.raises(cursors.InvalidCursor):
            cursors.decode("/products/", cursor[:index] + other + cursor[index + 1 :])


@pytest.mark.parametrize(
    "text", ["x", "AAAA", "A" * 5, "=", "e30", "e30:1a:x", "é", "\x00", "A" * 1_000, "A" * 1_000_000, "%", "a b"]
)
def test_invalid_cursors_are_rejected_quickly(text: str) -> None:
    began = time.process_time()
    with pytest.raises(cursors.InvalidCursor):
        cursors.decode("/products/", text)
    assert time.process_time() - began < 0.02


def test_cursors_of_a_fallback_key_are_accepted(settings: Any) -> None:
    cursor = cursors.encode("/products/", {"v": 1})
    old, settings.SECRET_KEY = settings.SECRET_KEY, "another key, which is long enough to sign"
    with pytest.raises(cursors.InvalidCursor):
        cursors.decode("/products/", cursor)
    settings.SECRET_KEY_FALLBACKS = [old]
    assert cursors.decode("/products/", cursor) == {"v": 1}


@pytest.mark.django_db
def test_a_cursor_of_one_list_is_a_400_at_another(staff: APIClient) -> None:
    for name in "ab":
        factories.category(name)
        factories.product(name)
    query = urlsplit(staff.get("/categories/?limit=1&ordering=name").json()["next"]).query
    [cursor] = parse_qs(query)["cursor"]
    assert staff.get("/categories/", {"cursor": cursor, "ordering": "name"}).status_code == 200
    for path in ("/products/", "/orders/", "/carts/", "/cart-items/"):
        answer = staff.get(path, {"cursor": cursor})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "cursor")

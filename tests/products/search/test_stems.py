"""Words are compared by their stem in the language of SEARCH_LANGUAGE."""

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from rest_framework.test import APIClient

from productbackend.environment import Environment, search_language
from tests import factories
from tests.products.search.searching import search, strict

# InnoDB's index sees committed rows only.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("language", "name", "finds", "misses"),
    [
        ("german", "Häuser aus Holz", ["haus", "HÄUSERN", "hauser", "hölzer"], ["hausx"]),
        ("french", "Chevaux élégants", ["élégante", "elegant", "elegants", "cheval"], ["chevelure"]),
        ("russian", "Красный стул", ["красные", "красного стула", "КРАСНЫЙ"], ["краб"]),
        ("none", "Red lamps", ["lamps", "lamp"], ["reds"]),
        ("english", "Лампы 100s 東京s", ["лампы", "100s", "東京"], ["лампа", "100x"]),
    ],
)
def test_stems_are_those_of_the_language(
    api: APIClient, settings: Any, language: str, name: str, finds: list[str], misses: list[str]
) -> None:
    settings.SEARCH_LANGUAGE = language
    factories.product(name, sku="A-1")
    for text in finds:
        assert strict(api, text) == [name], text
    for text in misses:
        assert strict(api, text) == [], text


def test_an_unknown_language_stops_the_start_and_lists_the_languages(tmp_path: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("SEARCH_LANGUAGE", "klingon")
    with pytest.raises(ImproperlyConfigured, match=r"SEARCH_LANGUAGE=klingon .* german .* none") as error:
        Environment(tmp_path / "none")("SEARCH_LANGUAGE", "english", search_language)
    assert "\n" not in str(error.value)


def test_a_changed_language_is_rebuilt(api: APIClient, settings: Any) -> None:
    settings.SEARCH_LANGUAGE = "none"
    factories.product("Berries and cream", sku="A-1")
    settings.SEARCH_LANGUAGE = "english"
    body = search(api, "berry cream")
    assert body.get("search_relaxed") is True
    call_command("rebuild_search")
    assert strict(api, "berry cream") == ["Berries and cream"]


def test_the_words_of_a_very_long_text_are_found_as_they_are(api: APIClient) -> None:
    words = " ".join(f"w{'abcdefghij'[number // 100]}{number:03}" for number in range(1000))
    factories.product("Lamps", description=f"Berries {words} strawberries", sku="A-1")
    assert strict(api, "lamp berry strawberries") == ["Lamps"]
    assert search(api, "strawberry lamp").get("search_relaxed") is True

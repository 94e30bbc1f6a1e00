"""Stems of words in the shop's language, by snowballstemmer."""

import threading
import unicodedata
from functools import cache
from typing import Any

import snowballstemmer

NONE = "none"  # turns stemming off
# How the names of a language's letters begin, where they are not Latin.
LETTERS = {
    "arabic": ("ARABIC",), "armenian": ("ARMENIAN",), "greek": ("GREEK",), "hindi": ("DEVANAGARI",),
    "nepali": ("DEVANAGARI",), "persian": ("ARABIC",), "russian": ("CYRILLIC",), "serbian": ("CYRILLIC", "LATIN"),
    "tamil": ("TAMIL",), "yiddish": ("HEBREW",),
}  # fmt: skip
LENGTH_MAX = 40  # characters of a word that has a stem

_lock = threading.Lock()  # a stemmer holds the word that it works on


def stem(language: str, word: str) -> str:
    """The stem of a casefolded word. A number, and a word in another script than the language's, is its own stem."""
    if language == NONE or len(word) > LENGTH_MAX or any(map(str.isnumeric, word)):
        return word
    if not unicodedata.name(word[0], "").startswith(LETTERS.get(language, ("LATIN",))):
        return word
    with _lock:
        return str(_stemmer(language).stemWord(word)) or word


@cache
def _stemmer(language: str) -> Any:
    return snowballstemmer.stemmer(language)

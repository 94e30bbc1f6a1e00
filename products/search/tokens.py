"""The tokens that stand for words in the search index, and `search_text`, the column that has a product's tokens."""

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import chain

from django.conf import settings

from productbackend.database.fields import fold
from productbackend.text.comparison import Table, is_word_character, normalized, plain, visible
from products.naming import sku_spellings
from products.search.stems import LENGTH_MAX, stem

# Scripts without spaces, or with spaces that do not separate words: Thai and Lao, Myanmar,
# Khmer, Tai, Balinese, Javanese, ideographs, kana, bopomofo, hangul.
UNSPACED = (
    r"\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u1950-\u19ff\u1a20-\u1aaf\u1b00-\u1b7f\u2e80-\u2fdf"
    r"\u3005-\u3007\u3031-\u3035\u303b\u3040-\u30ff\u3100-\u318f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    r"\ua960-\ua9ff\uaa60-\uaadf\uac00-\ud7ff\uf900-\ufaff\U0001b000-\U0001b16f\U00020000-\U0003ffff"
)
RUNS = re.compile(rf"[{UNSPACED}]+|[^{UNSPACED}]+")
UNSPACED_FIRST = re.compile(f"[{UNSPACED}]")
WORDS = re.compile("[a-z0-9]+")  # of ASCII
CACHED = 20_000  # words whose forms are cached
NAMES_CACHED = 2_000  # brands and categories whose tokens are cached
STEMMED_MAX = 300  # words of a text that get a stem: each takes 0.05 ms, and a long description can have thousands
# How often the words of each field are repeated in `search_text`: more repetitions rank higher.
WEIGHTS = (4, 2, 1)  # name, brand, description
# Fulltext indexes skip words under three characters, those above 84, and stop words such as
# "the". This prefix makes every word long enough, and none a stop word.
PAD = "qq"
SKU_PAD = "qs"
TOKEN_MAX = 84
# Everything except characters that MySQL and MariaDB treat as letters. They do not treat combining marks and recent
# additions to Unicode as letters.
UNINDEXABLE = re.compile(
    r"[^a-z0-9\u03b1-\u03c9\u0430-\u045f\u05d0-\u05ea\u0621-\u063a\u0641-\u064a\u3041-\u3096\u30a1-\u30fa\u30fc"
    r"\u3400-\u4db5\u4e00-\u9fa5\uac00-\ud7a3]"
)


class _Separators(Table):
    def of(self, character: str) -> str:
        return character if is_word_character(character) else " "


_separators = _Separators()


def runs(text: str) -> list[str]:
    """The words in `text`, without case and accents, split where a script with spaces meets one without."""
    text = plain(text)
    if text.isascii():
        return WORDS.findall(text)
    return [run for word in text.translate(_separators).split() for run in RUNS.findall(word)]


def is_unspaced(run: str) -> bool:
    """Whether `run` is in a script that is indexed by single characters and bigrams."""
    return not run.isascii() and bool(UNSPACED_FIRST.match(run))


def bigrams(run: str) -> list[str]:
    """The bigrams of `run`; the character itself if there is only one."""
    return [run[i : i + 2] for i in range(len(run) - 1)] or [run]


@lru_cache(maxsize=CACHED)
def token(word: str, pad: str = PAD) -> str:
    """The form of a word in the index: letters, digits and `_`, so that it contains no query operators."""
    safe = UNINDEXABLE.sub(lambda match: f"_{ord(match[0]):x}_", word)
    return f"{pad}{safe}"[:TOKEN_MAX]


def sku_token(sku: str) -> str:
    """The token by which an SKU is found in any case. Tokens of words have another prefix."""
    return token(fold(sku), SKU_PAD)


def forms(text: str) -> dict[str, tuple[str, ...]]:
    """The words in `text`, each with the forms that it is compared by: the word, and its stem with and without accents.

    Words are compared without accents, but a stem can depend on them.
    """
    language = settings.SEARCH_LANGUAGE
    return {run: _forms(language, run, written) if written else (run,) for run, written in _words(text)}


def _words(text: str) -> list[tuple[str, str]]:
    """The words in `text`, each with what its stem is computed from: empty for those that get none."""
    written = {} if text.isascii() else {plain(word): word for word in _written(text)}
    return [
        (run, written.get(run, run)[:LENGTH_MAX] if len(run) <= LENGTH_MAX and number < STEMMED_MAX else "")
        for number, run in enumerate(dict.fromkeys(runs(text)))
    ]


@lru_cache(maxsize=CACHED)
def _forms(language: str, run: str, written: str) -> tuple[str, ...]:
    if is_unspaced(run):
        return (run,)
    return tuple(dict.fromkeys([run, stem(language, run), plain(stem(language, written))]))


def _written(text: str) -> list[str]:
    return normalized("NFC", visible(text).casefold()).translate(_separators).split()


def search_text(*, name: str, brand: str, description: str, sku: str, categories: Iterable[str]) -> str:
    """The column that `search` reads: tokens, each between two spaces.

    A run of an unspaced script is indexed by its characters and bigrams, so that any part of it is found. The words of
    the SKU and of the categories are added once, if no other field has them.
    """
    language = settings.SEARCH_LANGUAGE
    parts = _tokens(name), _shared_tokens(language, brand), _tokens(description)
    found = [each for part, weight in zip(parts, WEIGHTS, strict=True) for each in part * weight]
    further = [token(part) for run in runs(sku) for part in _parts(run)]
    further += [each for category in categories for each in _shared_tokens(language, category)]
    present = set(found)
    found += [each for each in dict.fromkeys(further) if each not in present]
    if sku not in sku_spellings(fold(sku)):
        found.append(sku_token(sku))
    return " ".join(["", *found, ""])


def _tokens(text: str) -> tuple[str, ...]:
    language = settings.SEARCH_LANGUAGE
    # Without a stem a word is rare, and may be as long as the text: it is not cached.
    words = (
        _tokens_of(language, run, written) if written else map(token, _parts(run)) for run, written in _words(text)
    )
    return tuple(dict.fromkeys(chain.from_iterable(words)))


@lru_cache(maxsize=CACHED)
def _tokens_of(language: str, run: str, written: str) -> tuple[str, ...]:
    """The tokens of a word: of its forms, or of its parts."""
    return tuple(map(token, _parts(run) if is_unspaced(run) else _forms(language, run, written)))


@lru_cache(maxsize=NAMES_CACHED)
def _shared_tokens(language: str, text: str) -> tuple[str, ...]:
    """The tokens of a text that many products have, in the language of the settings."""
    return _tokens(text)


def _parts(run: str) -> list[str]:
    return [*run, *bigrams(run)] if is_unspaced(run) else [run]

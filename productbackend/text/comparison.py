"""Normalizes text of every script for comparison: without case, accents and invisible characters."""

import re
import unicodedata
from typing import Literal

# Unicode's Default_Ignorable_Code_Point: soft hyphen, zero-width characters, direction marks, variation
# selectors, Hangul fillers. Also the tatweel, which only stretches an Arabic word.
IGNORABLE = (
    "\u00ad\u034f\u061c\u0640\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
# Marks that searching and sorting ignore: accents of Latin, Greek and Cyrillic letters, and the points of
# Hebrew, Arabic and Syriac. Vowel signs of other scripts, viramas and the kana's voicing marks are significant.
ACCENTS = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670"
    "\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u0711\u0730-\u074a\u08ca-\u08e1\u08e3-\u08ff\u1ab0-\u1aff"
    "\u1dc0-\u1dff\u20d0-\u20ff\u2de0-\u2dff\ua66f-\ua672\ua674-\ua67d\ua69e\ua69f\ufe20-\ufe2f"
)
# Letters that Unicode does not decompose and whose names have no "WITH".
ALIKE = {
    "æ": "ae", "œ": "oe", "þ": "th", "ð": "d", "ı": "i", "ȷ": "j", "ŋ": "n", "ĸ": "k", "ə": "e", "ɛ": "e", "ɔ": "o",
    "ƿ": "w",
}  # fmt: skip

_IGNORABLE = re.compile(f"[{IGNORABLE}]")
_DROPPED = re.compile(f"[{IGNORABLE}{ACCENTS}]")
_WITH = re.compile(r"(LATIN SMALL LETTER [A-Z]|CYRILLIC SMALL LETTER [A-Z ]+?) WITH .+")
# CPython sorts a run of combining marks by insertion sort: its time is quadratic in the length of the run.
LONG = 512
MARKS_MAX = 30  # in one run: the limit of Unicode's stream-safe text format


def normalized(form: Literal["NFC", "NFD", "NFKC", "NFKD"], text: str) -> str:
    """Normalize `text` to a Unicode normalization form in linear time.

    In a long text a run of combining marks is cut to 30. No word of any script has more.
    """
    if len(text) > LONG and not text.isascii():
        text = _with_short_runs(text)
    return unicodedata.normalize(form, text)


def _with_short_runs(text: str) -> str:
    # Decide by the decomposition: a few characters that are no marks decompose to marks only.
    marks = {char for char in set(text) if unicodedata.combining(unicodedata.normalize("NFKD", char)[0])}
    if not marks:
        return text
    result, run = [], 0
    for char in text:
        run = run + 1 if char in marks else 0
        if run <= MARKS_MAX:
            result.append(char)
    return "".join(result)


def visible(text: str) -> str:
    """Remove invisible characters."""
    return text if text.isascii() else _IGNORABLE.sub("", text)


def plain(text: str) -> str:
    """Casefold `text` and remove accents, for searching and sorting."""
    if text.isascii():
        return text.lower()
    decomposed = normalized("NFKD", text.casefold()).casefold()
    return normalized("NFC", decomposed.translate(_letters))


def is_mark(character: str) -> bool:
    return unicodedata.category(character)[0] == "M"


def is_word_character(character: str) -> bool:
    """Whether it is a letter, a number or a mark."""
    return unicodedata.category(character)[0] in "LNM" and not _IGNORABLE.match(character)


class Table(dict[int, str]):
    """A table for `str.translate`, which computes entries on demand and caches those of the BMP."""

    def __missing__(self, code: int) -> str:
        found = self.of(chr(code))
        if code <= 0xFFFF:
            self[code] = found
        return found

    def of(self, character: str) -> str:
        raise NotImplementedError


class _Letters(Table):
    def of(self, character: str) -> str:
        if _DROPPED.match(character):
            return ""
        if character in ALIKE:
            return ALIKE[character]
        base = _WITH.fullmatch(unicodedata.name(character, ""))
        return unicodedata.normalize("NFD", unicodedata.lookup(base[1]))[0] if base else character


_letters = _Letters()

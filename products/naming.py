"""Slugs, SKUs and the words of the search, made from names in any script."""

import re
import secrets
import unicodedata
from typing import Any

from django.db.models import Model
from django.utils.text import slugify

SUFFIX_ALPHABET = "23456789abcdefghjkmnpqrstvwxyz"  # none that is read as another
SUFFIX_LENGTH = 6


def free_slug(model: type[Model], name: str, *, fallback: str) -> str:
    """A slug for `name` that no row of `model` has now. The unique column settles a race."""
    return _free(model, "slug", slugify(name, allow_unicode=True) or fallback)


def free_sku(model: type[Model], name: str) -> str:
    """An SKU for `name` that no row of `model` has now."""
    return _free(model, "sku", (slugify(name, allow_unicode=True) or "product").upper())


def _free(model: type[Model], field: str, base: str) -> str:
    length: Any = model._meta.get_field(field).max_length  # type: ignore[union-attr]
    base = base[:length].strip("-_")
    if not model._default_manager.filter(**{field: base}).exists():
        return base
    suffix = "".join(secrets.choice(SUFFIX_ALPHABET) for _ in range(SUFFIX_LENGTH))
    suffix = suffix.upper() if field == "sku" else suffix
    return f"{base[: length - SUFFIX_LENGTH - 1].strip('-_')}-{suffix}"


# Scripts that write without spaces, or with spaces that are not where people search.
UNSPACED = r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
RUNS = re.compile(rf"[{UNSPACED}]+|[^\W_{UNSPACED}]+")
# How often a part's words stand in `search_text`: the more, the better a match of it is.
WEIGHTS = (4, 2, 1)  # name, brand, description
# Fulltext indexes pass over words under three characters, those above 84, and stop words such as
# "the". With this before it no word is one of them.
PAD = "qq"
TOKEN_MAX = 84
BEYOND = re.compile(r"[^\u0000-\uffff]")  # letters that MySQL does not know for such


def runs(text: str) -> list[str]:
    """The runs of letters and digits in `text`, without case and accents."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    plain = unicodedata.normalize("NFC", "".join(c for c in decomposed if not unicodedata.combining(c)))
    return RUNS.findall(plain.casefold())


def is_unspaced(run: str) -> bool:
    """Whether `run` is of a script that is searched by single characters and pairs of neighbours."""
    return bool(re.match(f"[{UNSPACED}]", run))


def pairs(run: str) -> list[str]:
    """The pairs of neighbouring characters in `run`; the character itself where it stands alone."""
    return [run[i : i + 2] for i in range(len(run) - 1)] or [run]


def token(word: str) -> str:
    """A word as it stands in the index: letters, digits and `_`, so that nothing in it is an operator."""
    plain = BEYOND.sub(lambda match: f"_{ord(match[0]):x}_", word)
    return f"{PAD}{plain}"[:TOKEN_MAX]


def search_text(name: str, brand: str, description: str) -> str:
    """The column that `search` reads: tokens, each between two spaces.

    A run of an unspaced script stands as its characters and pairs, so that any part of it is found.
    """
    found: list[str] = []
    for part, weight in zip((name, brand, description), WEIGHTS, strict=True):
        words: dict[str, None] = {}
        for run in runs(part):
            words.update(dict.fromkeys([*run, *pairs(run)] if is_unspaced(run) else [run]))
        found += [token(word) for word in words] * weight
    return " ".join(["", *found, ""])

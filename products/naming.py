"""Slugs, SKUs and name keys, derived from text in any script."""

import re
import secrets
from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Model

from productbackend.database.fields import KEY_LENGTH, fold
from productbackend.text.comparison import Table, is_mark, is_word_character, normalized, plain, visible

SUFFIX_ALPHABET = "23456789abcdefghjkmnpqrstvwxyz"  # without characters that look alike
SUFFIX_LENGTH = 6


class _SlugCharacters(Table):
    def of(self, character: str) -> str:
        if character.isspace():
            return "-"
        return character if is_slug_character(character) else ""


_slug_characters = _SlugCharacters()


def is_slug_character(character: str) -> bool:
    return character in "-_" or is_word_character(character)


def is_slug(text: str) -> bool:
    """Whether `text` consists of letters of any script, with their marks, numbers, hyphens and underscores."""
    return bool(text) and not is_mark(text[0]) and all(map(is_slug_character, text))


def slugify(name: str) -> str:
    """Like Django's `slugify` with `allow_unicode`, but keeps the combining marks of letters."""
    text = normalized("NFKC", visible(name)).lower().translate(_slug_characters)
    text = re.sub("-+", "-", text).strip("-_")
    return text if is_slug(text) else ""


def free_slug(model: type[Model], name: str, *, fallback: str) -> str:
    """An unused slug for `name`. A concurrent request can take it: the column is unique."""
    return _free(model, "slug", slugify(name) or fallback)


def free_sku(model: type[Model], name: str) -> str:
    """An unused SKU for `name`."""
    return _free(model, "sku", (slugify(name) or "product").upper())


def free_slugs(model: type[Model], names: Sequence[str], *, fallback: str) -> list[str]:
    """An unused slug for each of the names, by one query."""
    return free_values(model, "slug", [slugify(name) for name in names], fallback=fallback)


def free_values(model: type[Model], field: str, wanted: Sequence[str], *, fallback: str) -> list[str]:
    """An unused slug or SKU for each of those that are wanted, by one query."""
    length: Any = model._meta.get_field(field).max_length  # type: ignore[union-attr]
    bases = [(each or fallback)[:length].strip("-_") for each in wanted]
    used = set(model._default_manager.filter(**{f"{field}__in": set(bases)}).values_list(field, flat=True))
    found = []
    for base in bases:
        found.append(_suffixed(base, length, is_upper=field == "sku") if base in used else base)
        used.add(base)
    return found


def _free(model: type[Model], field: str, base: str) -> str:
    length: Any = model._meta.get_field(field).max_length  # type: ignore[union-attr]
    base = base[:length].strip("-_")
    if not model._default_manager.filter(**{field: base}).exists():
        return base
    return _suffixed(base, length, is_upper=field == "sku")


def _suffixed(base: str, length: int, *, is_upper: bool = False) -> str:
    suffix = "".join(secrets.choice(SUFFIX_ALPHABET) for _ in range(SUFFIX_LENGTH))
    return f"{base[: length - SUFFIX_LENGTH - 1].strip('-_')}-{suffix.upper() if is_upper else suffix}"


# Separates the sort key from the folded name in a name key. Neither contains two spaces in a row.
KEY_SEPARATOR = "  "
NAME_KEY_LENGTH = 2 * KEY_LENGTH + len(KEY_SEPARATOR)


def validate_visible(name: str) -> None:
    """Raise ValidationError if all characters of `name` are invisible."""
    if not fold(name):
        raise ValidationError("Enter at least one visible character.", code="invisible")


def sort_key(name: str) -> str:
    """The key that names are ordered by: the name without accents and case."""
    return " ".join(plain(fold(name)).split())[:KEY_LENGTH].rstrip()


def name_key(name: str) -> str:
    """The column by which names are ordered and found: the sort key, then the folded name if it differs.

    Two names have the same key if their folded forms are equal. Keys are in the order of sort keys.
    """
    folded, ordered = fold(name)[:KEY_LENGTH], sort_key(name)
    return folded if ordered == folded else f"{ordered}{KEY_SEPARATOR}{folded}"


def sibling_key(parent_id: int | None, name: str) -> str:
    """The unique key of a category: its parent and folded name, so that siblings' names are unique."""
    return f"{parent_id or 0}:{fold(name)}"


def sku_spellings(text: str) -> list[str]:
    """The usual spellings of an SKU in upper or lower case, which the unique index finds."""
    folded = fold(text)
    return list(dict.fromkeys([text, folded, folded.upper()]))

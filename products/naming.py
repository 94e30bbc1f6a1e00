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


def words(text: str) -> list[str]:
    """The words of `text` as the search compares them: without case and accents.

    Scripts that write without spaces are cut into single characters and pairs of neighbours,
    so that any part of a word finds it.
    """
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    plain = unicodedata.normalize("NFC", "".join(c for c in decomposed if not unicodedata.combining(c)))
    return re.findall(r"\w+", plain.casefold())


def search_text(*parts: str) -> str:
    """The column that `search` reads: every word between two spaces."""
    return " ".join(["", *(word for part in parts for word in words(part)), ""])

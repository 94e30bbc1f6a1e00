"""`search`: every word must occur in name, brand or description; the last may be a beginning."""

from typing import Any

from django.db.models import F, QuerySet, Value
from django.db.models.functions import StrIndex

from products.naming import is_unspaced, pairs, runs

TERMS_MAX = 20


def terms(text: str) -> list[str]:
    """What must occur in `search_text`, each with the spaces that bound it."""
    found = []
    last = len(runs(text)) - 1
    for index, run in enumerate(runs(text)):
        if is_unspaced(run):
            found += [f" {pair} " for pair in pairs(run)]
        else:
            found.append(f" {run}" if index == last else f" {run} ")
    return found[:TERMS_MAX]


def matching(queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
    """The products in which every word of `text` occurs; none where it has no word."""
    wanted = terms(text)
    if not wanted:
        return queryset.none()
    for term in wanted:
        queryset = queryset.filter(search_text__contains=term)
    return queryset


def best_first(queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
    """By where the words stand: the name is before the brand, and that before the description."""
    rank: Any = Value(0)
    for term in terms(text):
        rank += StrIndex(F("search_text"), Value(term))
    return queryset.annotate(rank=rank).order_by("rank", "name_key", "id")

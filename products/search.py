"""`search`: every word must occur in name, brand or description; the last may be a beginning."""

from typing import Any

from django.db import connections
from django.db.models import F, FloatField, Func, QuerySet, TextField, Value
from django.db.models.functions import StrIndex
from django.db.models.lookups import Lookup

from products.models import Product
from products.naming import is_unspaced, pairs, runs, token
from products.search_index import TABLE, sqlite_has_fts5

TERMS_MAX = 20


def terms(text: str) -> list[tuple[str, bool]]:
    """The tokens that must occur, and whether each may be the beginning of a word.

    That is the last one, where it has two characters: one alone would begin too much.
    """
    found: list[tuple[str, bool]] = []
    words = runs(text)
    for index, word in enumerate(words):
        if is_unspaced(word):
            found += [(token(pair), False) for pair in pairs(word)]
        else:
            found.append((token(word), index == len(words) - 1 and len(word) > 1))
    return list(dict.fromkeys(found))[:TERMS_MAX]


class Match(Func):
    """How well `search_text` fits, on MySQL and MariaDB."""

    template = "MATCH (%(expressions)s IN BOOLEAN MODE)"
    arg_joiner = ") AGAINST ("
    output_field = FloatField()


@TextField.register_lookup
class Matches(Lookup):
    """MATCH as a condition: `MATCH (...) > 0` would not be served from the index everywhere."""

    lookup_name = "matches"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        column, column_params = self.process_lhs(compiler, connection)
        query, query_params = self.process_rhs(compiler, connection)
        return f"MATCH ({column}) AGAINST ({query} IN BOOLEAN MODE)", [*column_params, *query_params]


def matching(queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
    """The products in which every word of `text` occurs; none where it has no word."""
    wanted = terms(text)
    if not wanted:
        return queryset.none()
    if connections[queryset.db].vendor == "mysql":
        return queryset.filter(search_text__matches=_boolean(wanted))
    if sqlite_has_fts5():
        query = " AND ".join(f'"{term}"{"*" if is_prefix else ""}' for term, is_prefix in wanted)
        joined = f"{TABLE}.rowid = {Product._meta.db_table}.id"
        return queryset.extra(tables=[TABLE], where=[joined, f"{TABLE} MATCH %s"], params=[query])  # noqa: S610
    for term in _bounded(wanted):
        queryset = queryset.filter(search_text__contains=term)
    return queryset


def best_first(queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
    """What `matching` found, by relevance: the name tells more than the brand, and that more than the description."""
    wanted = terms(text)
    if connections[queryset.db].vendor == "mysql":
        # By this alone the index gives the best ones first; with the id beside it all would be sorted.
        return queryset.order_by(Match(F("search_text"), Value(_boolean(wanted))).desc())
    if sqlite_has_fts5():
        return queryset.extra(select={"rank": f"{TABLE}.rank"}, order_by=["rank", "id"])  # noqa: S610
    places: Any = Value(0)
    for term in _bounded(wanted):
        places += StrIndex(F("search_text"), Value(term))
    return queryset.annotate(rank=places).order_by("rank", "id")


def _boolean(wanted: list[tuple[str, bool]]) -> str:
    return " ".join(f"+{term}{'*' if is_prefix else ''}" for term, is_prefix in wanted)


def _bounded(wanted: list[tuple[str, bool]]) -> list[str]:
    return [f" {term}{'' if is_prefix else ' '}" for term, is_prefix in wanted]

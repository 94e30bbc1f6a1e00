"""`search`: every word must occur in a product's search text, in any form with the same stem; or, relaxed, any word.

The last word may be the beginning of a word.
"""

from dataclasses import dataclass
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Case, F, FloatField, Func, Q, QuerySet, TextField, Value, When
from django.db.models.expressions import RawSQL
from django.db.models.functions import StrIndex
from django.db.models.lookups import Lookup
from django.db.models.sql.compiler import SQLCompiler

from products.models import Product
from products.naming import sku_spellings
from products.search.index import TABLE, sqlite_has_fts5
from products.search.tokens import bigrams, forms, is_unspaced, runs, sku_token, token

TEXT_MAX = 300  # characters: more than any name has
RANKED_TERMS_MAX = 20  # terms that rank without FTS5, where each nests the expression deeper


@dataclass(frozen=True)
class Word:
    """A word of a search: the tokens that must all occur, or any of them; the first may be the beginning of a token."""

    tokens: tuple[str, ...]
    needs_all: bool = False
    is_prefix: bool = False


def words(text: str) -> list[Word]:
    """The words that must occur.

    Only the last one can be a prefix, if it has two characters or more: a single one would match too many words.
    """
    text = text[:TEXT_MAX]
    last = next(reversed(runs(text)), "")
    return [
        Word(tuple(map(token, bigrams(run))), needs_all=True)
        if is_unspaced(run)
        else Word(tuple(map(token, compared)), is_prefix=run == last and len(run) > 1)
        for run, compared in forms(text).items()
    ]


class Match(Func):
    """The relevance of `search_text`, on MySQL and MariaDB."""

    template = "MATCH (%(expressions)s IN BOOLEAN MODE)"
    arg_joiner = ") AGAINST ("
    output_field = FloatField()


@TextField.register_lookup
class Matches(Lookup):
    """MATCH as a condition: for `MATCH (...) > 0` some servers do not use the index."""

    lookup_name = "matches"
    prepare_rhs = False

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, Any]:
        column, column_params = self.process_lhs(compiler, connection)
        query, query_params = self.process_rhs(compiler, connection)
        return f"MATCH ({column}) AGAINST ({query} IN BOOLEAN MODE)", [*column_params, *query_params]


def matching(queryset: QuerySet[Any], text: str, *, relaxed: bool = False, is_nested: bool = False) -> QuerySet[Any]:
    """The products in which every word of `text` occurs, or if `relaxed` any; none if `text` is too long.

    Only a queryset that is no part of another one, not `is_nested`, can be ordered by relevance.
    """
    wanted = words(text) if len(text) <= TEXT_MAX else []
    return _containing(queryset, wanted, relaxed=relaxed, is_nested=is_nested) if wanted else queryset.none()


def can_be_relaxed(text: str) -> bool:
    """Whether `text` has several words, so that products can have some of them."""
    return len(text) <= TEXT_MAX and len(words(text)) > 1


def with_sku(queryset: QuerySet[Any], sku: str) -> QuerySet[Any]:
    """The products with this SKU, in upper or lower case."""
    sku = sku[:TEXT_MAX]
    usual = queryset.filter(sku__in=sku_spellings(sku))
    return usual if usual.exists() else _containing(queryset, [Word((sku_token(sku),))])


def _containing(
    queryset: QuerySet[Any], wanted: list[Word], *, relaxed: bool = False, is_nested: bool = False
) -> QuerySet[Any]:
    if connections[queryset.db].vendor == "mysql":
        return queryset.filter(search_text__matches=_boolean_query(wanted, relaxed=relaxed))
    if sqlite_has_fts5():
        query = f" {'OR' if relaxed else 'AND'} ".join(map(_fts5_query, wanted))
        if is_nested:  # where the table of products has another name
            found = RawSQL(f"SELECT rowid FROM {TABLE} WHERE {TABLE} MATCH %s", [query])  # noqa: S611,S608
            return queryset.filter(pk__in=found)
        joined = f"{TABLE}.rowid = {Product._meta.db_table}.id"
        return queryset.extra(tables=[TABLE], where=[joined, f"{TABLE} MATCH %s"], params=[query])  # noqa: S610
    condition = Q()
    for word in map(_contains, wanted):
        condition = condition | word if relaxed else condition & word
    return queryset.filter(condition)


def by_relevance(queryset: QuerySet[Any], text: str, *, relaxed: bool = False) -> QuerySet[Any]:
    """Orders the result of `matching` by relevance: how many and how rare words, then in name, brand, or elsewhere."""
    wanted = words(text)
    if connections[queryset.db].vendor == "mysql":
        rank = Match(F("search_text"), Value(_boolean_query(wanted, relaxed=relaxed))).desc()
        # By this alone the index returns rows in order; with the id added, MySQL would sort all matches. MariaDB sorts
        # them always; without the id, rows of equal rank would differ between pages.
        is_mariadb = getattr(connections[queryset.db], "mysql_is_mariadb", False)
        return queryset.order_by(rank, "id") if is_mariadb else queryset.order_by(rank)
    if sqlite_has_fts5():
        return queryset.order_by(RawSQL(f"{TABLE}.rank", []), "id")  # noqa: S611
    missing: Any = Value(0)
    positions: Any = Value(0)
    for word in wanted[:RANKED_TERMS_MAX]:
        missing += Case(When(_contains(word), then=Value(0)), default=Value(1))
        positions += StrIndex(F("search_text"), Value(_delimited(word)[0]))
    return queryset.order_by(missing, positions, "id")


def _boolean_query(wanted: list[Word], *, relaxed: bool) -> str:
    """A query in MySQL's boolean mode."""
    terms = []
    for word in wanted:
        tokens = [f"{word.tokens[0]}{'*' if word.is_prefix else ''}", *word.tokens[1:]]
        if word.needs_all:
            terms.append(f"({' '.join(f'+{each}' for each in tokens)})" if relaxed else " +".join(tokens))
        else:
            terms.append(f"({' '.join(tokens)})" if len(tokens) > 1 else tokens[0])
    return " ".join(terms if relaxed else [f"+{term}" for term in terms])


def _fts5_query(word: Word) -> str:
    quoted = [f'"{each}"' for each in word.tokens]
    if word.is_prefix:
        quoted[0] += "*"
    return f"({(' AND ' if word.needs_all else ' OR ').join(quoted)})"


def _contains(word: Word) -> Q:
    """The condition that the search text contains the word, without a fulltext index."""
    condition = Q()
    for each in _delimited(word):
        contained = Q(search_text__contains=each)
        condition = condition & contained if word.needs_all else condition | contained
    return condition


def _delimited(word: Word) -> list[str]:
    first = f" {word.tokens[0]}{'' if word.is_prefix else ' '}"
    return [first, *(f" {each} " for each in word.tokens[1:])]

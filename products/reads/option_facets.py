"""Counts of filtered products, or of families, by option. Each axis is counted without its own filter."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Any

from django.db.models import QuerySet

from productbackend.database.fields import KEY_LENGTH, fold
from products.models import AXES_MAX, Product
from products.reads.families import with_families
from products.reads.option_filters import in_families
from products.reads.query import ProductQuery

MATCHES_MAX = 10_000
AXES_SHOWN, VALUES_SHOWN = 50, 100

Key = tuple[str, str]  # of an axis, and of a value
Counts = dict[Key, set[int]]  # the products, or the families, that have an option


def count(query: ProductQuery, ids: Sequence[int], families: Sequence[int | None]) -> tuple[list[dict[str, Any]], bool]:
    """The counts by axis and value, and whether they are complete. `ids` and `families` are those of the matches.

    Without a match in a family, and without a filter by options, there is no statement.
    """
    counts, names, is_whole = _read(query, ids, families)
    used = query.options
    found = {key: matches for key, matches in counts.items() if key[0] not in used}
    for axis in used if len(used) <= AXES_MAX + 1 else ():  # with more, nothing matches without one of them either
        other = with_families(query.without_option(axis))
        rows = list(other.rows().order_by().values_list("pk", "family_id")[: MATCHES_MAX + 1])
        pks, theirs = zip(*rows[:MATCHES_MAX], strict=True) if rows else ((), ())
        counts, more_names, is_complete = _read(other, pks, theirs)
        found |= {key: matches for key, matches in counts.items() if key[0] == axis}
        names += more_names
        is_whole = is_whole and is_complete and len(rows) <= MATCHES_MAX
    return _ranked(found, names), is_whole


def _read(
    query: ProductQuery, ids: Sequence[int], families: Sequence[int | None]
) -> tuple[Counts, Counter[tuple[str, str]], bool]:
    """What has each option; how often each spelling occurs; whether that is all."""
    if query.one_per_family:
        wanted = {family for family in families if family is not None}
        # Of a sample the members are those by which it was found: of thousands of families few have the options.
        rows: QuerySet[Any] = query.members() if query.reads_sample() else query.members(in_families(wanted))
        columns = "family_id", "options"
    else:
        wanted = {pk for pk, family in zip(ids, families, strict=True) if family is not None}
        rows, columns = Product.objects.filter(pk__in=wanted).order_by(), ("pk", "options")
    read = list(rows.values_list(*columns)[: MATCHES_MAX + 1]) if wanted else []
    counts: Counts = defaultdict(set)
    spellings: Counter[tuple[str, str]] = Counter()
    for pk, options in read[:MATCHES_MAX]:
        if pk not in wanted:
            continue
        for spelling in options.items():
            counts[spelling].add(pk)
            spellings[spelling] += 1
    return _folded(counts), spellings, len(read) <= MATCHES_MAX and not query.reads_sample()


def _folded(counts: Mapping[tuple[str, str], Collection[int]]) -> Counts:
    found: Counts = defaultdict(set)
    for (axis, value), matches in counts.items():
        found[fold(axis), fold(value)[:KEY_LENGTH]].update(matches)
    return dict(found)


def _ranked(found: Counts, spellings: Counter[tuple[str, str]]) -> list[dict[str, Any]]:
    """The most frequent axes and values first, each as it is spelled most often."""
    axes: dict[str, Counter[str]] = defaultdict(Counter)
    values: dict[Key, Counter[str]] = defaultdict(Counter)
    folded = cache(fold)
    for (axis, value), number in spellings.items():
        axes[folded(axis)][axis] += number
        values[folded(axis), folded(value)[:KEY_LENGTH]][value] += number
    by_axis: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for (axis, value), matches in found.items():
        by_axis[axis].append((-len(matches), value))
    ranked = sorted(by_axis.items(), key=lambda row: (sum(count for count, _ in row[1]), row[0]))
    return [
        {
            "axis": _usual(axes[axis]),
            "values": [
                {"value": _usual(values[axis, value]), "count": -negative}
                for negative, value in sorted(counted)[:VALUES_SHOWN]
            ],
        }
        for axis, counted in ranked[:AXES_SHOWN]
    ]


def _usual(spellings: Counter[str]) -> str:
    return min(spellings, key=lambda each: (-spellings[each], each))

"""Suggestions for what a shopper is typing: products, categories and brands, by the beginnings of their words.

`Suggestion` has a row for each word of a name, with the text from that word on, so that every search is a range of an
index: it takes the same time at any number of products.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any

from django.db import connection, transaction
from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.constants import OnConflict

from products.models import SUGGESTION_KEY_LENGTH, Category, Product, Suggestion
from products.search.tokens import is_unspaced, runs

TEXT_MIN, TEXT_MAX = 2, 100  # characters of a query
WORDS_MAX = 8  # words of a name by which it is suggested
FOUND_MAX = 10
CATEGORIES_MAX, BRANDS_MAX = 3, 2  # of those; products are the others
READ_MAX = 100  # rows that are read: some may be of hidden products
CHUNK = 20  # products that are read in one query
BRANDS_READ_MAX = 20
BATCH = 1_000  # rows in one INSERT
LAST = "\U0010ffff"  # follows every text that begins alike

Kind = Suggestion.Kind


@dataclass(frozen=True)
class Found:
    """What is suggested: a product or a category with its id and slug, or a brand."""

    kind: str
    text: str
    id: int | None = None
    slug: str | None = None


def keys(text: str) -> list[str]:
    """The text from each of its words on, as far as it is compared; in a script without spaces from each character."""
    starts: list[str] = []
    words = runs(text)
    for index, run in enumerate(words):
        following = words[index + 1 :]
        offsets = range(len(run)) if is_unspaced(run) else range(1)
        starts += [" ".join([run[offset:], *following])[:SUGGESTION_KEY_LENGTH] for offset in offsets]
    return list(dict.fromkeys(starts[:WORDS_MAX]))


def find(text: str) -> list[Found]:
    """Up to 10 suggestions for the beginning of a text; categories, brands, then products."""
    prefix = " ".join(runs(text))[:SUGGESTION_KEY_LENGTH]
    if not prefix:
        return []
    found = _categories(prefix) + _brands(prefix)
    return found + _products(prefix, FOUND_MAX - len(found))


def _products(prefix: str, most: int) -> list[Found]:
    ids = [int(source) for source in _sources(Kind.PRODUCT, prefix)]
    found: list[Found] = []
    for start in range(0, len(ids), CHUNK):
        chunk = ids[start : start + CHUNK]
        active = Product.objects.filter(pk__in=chunk, is_active=True).order_by().values_list("pk", "name", "slug")
        products = {pk: Found(Kind.PRODUCT, name, pk, slug) for pk, name, slug in active}
        found += [products[pk] for pk in chunk if pk in products]
        if len(found) >= most:
            break
    return found[:most]


def _categories(prefix: str) -> list[Found]:
    ids = [int(source) for source in _sources(Kind.CATEGORY, prefix)]
    rows = Category.objects.filter(pk__in=ids).order_by().values_list("pk", "name", "slug")
    categories = {pk: Found(Kind.CATEGORY, name, pk, slug) for pk, name, slug in rows}
    return [categories[pk] for pk in ids if pk in categories][:CATEGORIES_MAX]


def _brands(prefix: str) -> list[Found]:
    """The brands of active products, as one of these spells them."""
    active = Product.objects.filter(is_active=True, brand_key=OuterRef("source")).order_by().values("brand")[:1]
    rows = _beginning(Kind.BRAND, prefix).annotate(brand=Subquery(active)).values_list("source", "brand")
    brands = {source: Found(Kind.BRAND, brand) for source, brand in rows[:BRANDS_READ_MAX] if brand}
    return list(brands.values())[:BRANDS_MAX]


def _sources(kind: Suggestion.Kind, prefix: str) -> list[str]:
    return list(dict.fromkeys(_beginning(kind, prefix).values_list("source", flat=True)[:READ_MAX]))


def _beginning(kind: Suggestion.Kind, prefix: str) -> QuerySet[Suggestion]:
    return Suggestion.objects.filter(kind=kind, key__gte=prefix, key__lt=prefix + LAST).order_by("key")


def refresh_products(products: Iterable[Product]) -> None:
    """Write the rows of products and of their brands. Those of a brand that no product has any more are not shown."""
    products = list(products)
    refresh(Kind.PRODUCT, {str(product.pk): product.name for product in products})
    refresh_brands(products)


def refresh_brands(products: Iterable[Product]) -> None:
    refresh(Kind.BRAND, {product.brand_key: product.brand for product in products if product.brand_key})


def refresh_categories(categories: Iterable[Category]) -> None:
    refresh(Kind.CATEGORY, {str(category.pk): category.name for category in categories})


@transaction.atomic
def refresh(kind: Suggestion.Kind, texts: Mapping[str, str]) -> None:
    """Write the rows that differ from the words of `texts`, by source.

    The outdated rows of a source get its new keys: that writes one index, where a row deleted and one inserted write
    them all.
    """
    missing = {source: set(keys(text)) for source, text in texts.items()}
    outdated: dict[str, list[int]] = {source: [] for source in texts}
    rows = Suggestion.objects.filter(kind=kind, source__in=texts).values_list("pk", "source", "key")
    for pk, source, key in rows:
        if key in missing[source]:
            missing[source].remove(key)
        else:
            outdated[source].append(pk)
    written = [
        (pk, source, key)
        for source, wanted in sorted(missing.items())
        for pk, key in zip(chain(outdated[source], repeat(None)), sorted(wanted))  # noqa: B905 - the first is endless
    ]
    surplus = [pk for source, pks in outdated.items() for pk in pks[len(missing[source]) :]]
    if surplus:
        Suggestion.objects.filter(pk__in=surplus).delete()
    _write(kind, written)


def _write(kind: Suggestion.Kind, rows: list[tuple[int | None, str, str]]) -> None:
    """Insert the rows without an id and write the keys of the others. No models: an import writes many thousands."""
    quote: Any = connection.ops.quote_name
    fields: Any = [Suggestion._meta.get_field(name) for name in ("id", "kind", "source", "key")]
    insert = f"INSERT INTO {quote(Suggestion._meta.db_table)} ({', '.join(quote(field.column) for field in fields)})"
    update = connection.ops.on_conflict_suffix_sql(fields, OnConflict.UPDATE, ["key"], ["id"])
    for start in range(0, len(rows), BATCH):
        chunk = rows[start : start + BATCH]
        values = ", ".join(["(%s, %s, %s, %s)"] * len(chunk))
        with connection.cursor() as cursor:
            cursor.execute(
                f"{insert} VALUES {values} {update}",
                [value for pk, source, key in chunk for value in (pk, kind.value, source, key)],
            )


def forget(row: Product | Category) -> None:
    """Delete the rows of a deleted product or category."""
    kind = Kind.PRODUCT if isinstance(row, Product) else Kind.CATEGORY
    Suggestion.objects.filter(kind=kind, source=str(row.pk)).delete()

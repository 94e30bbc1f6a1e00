"""Creates the demo's categories and products, idempotently: the same ones for the same seed.

Product NUMBER has the SKU `DEMO-NUMBER`. Slugs and SKUs are unique by that number, so that no row
needs a query for an unused one.
"""

import random
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.utils.text import slugify

from products import categories
from products.inventory import stock
from products.management.demo import words
from products.models import Category, Product
from products.naming import sibling_key
from products.search import suggestions

SKU_PREFIX = "DEMO-"
PRODUCTS_MAX = 9_999_999  # the digits of an SKU allow no more
BATCH = 1_000  # products per transaction
FIRST_DAY, LAST_DAY = datetime(2020, 1, 1, tzinfo=UTC), datetime(2026, 6, 30, tzinfo=UTC)
STRIDE = 17  # coprime to the number of leaves, so that a cycle has each of them
SOLD_OUT = 0.04  # the share of products that are sold out


def sku(number: int) -> str:
    return f"{SKU_PREFIX}{number:07d}"


@transaction.atomic
def make_categories() -> list[Category]:
    """Create the categories of `words.LEAVES`; return them in that order. Existing ones are found by name or slug."""
    found: dict[tuple[str, ...], Category] = {}
    for leaf in words.LEAVES:
        for depth, name in enumerate(leaf.path, 1):
            if leaf.path[:depth] not in found:
                found[leaf.path[:depth]] = _category(found.get(leaf.path[: depth - 1]), name)
    return [found[leaf.path] for leaf in words.LEAVES]


def _category(parent: Category | None, name: str) -> Category:
    slug = slugify(f"{parent.slug} {name}" if parent else name)
    key = sibling_key(parent.pk if parent else None, name)
    existing = Category.objects.filter(sibling_key=key).first() or Category.objects.filter(slug=slug).first()
    return existing or categories.create(name=name, slug=slug, parent=parent)


def make_products(total: int, *, seed: int, demo_categories: list[Category]) -> Iterator[tuple[int, int]]:
    """Create the missing ones of the products 1 to `total`. Yields each batch's size and how many products were new.

    Each batch is one transaction: an interruption leaves complete batches.
    """
    for first in range(1, total + 1, BATCH):
        numbers = range(first, min(first + BATCH, total + 1))
        yield len(numbers), _make_batch(numbers, seed, demo_categories)


@transaction.atomic
def _make_batch(numbers: range, seed: int, demo_categories: list[Category]) -> int:
    existing = ids(numbers)
    products = [build_product(number, seed, demo_categories) for number in numbers if sku(number) not in existing]
    if not products:
        return 0
    names = categories.paths(demo_categories)
    for product in products:
        product.derive(names[product.category_id or 0])
    # bulk_create sets created_at to now and, on MySQL, does not return ids: dates are written afterwards.
    created = [product.created_at for product in products]
    Product.objects.bulk_create(products)
    pks = ids(numbers)
    for product, moment in zip(products, created, strict=True):
        product.pk, product.created_at = pks[product.sku], moment
    Product.objects.bulk_update(products, ["created_at"])
    stock.record_initial(products=products)
    suggestions.refresh_products(products)
    return len(products)


def ids(numbers: range) -> Mapping[str, int]:
    """The ids of existing demo products, by SKU."""
    rows = Product.objects.filter(sku__range=(sku(numbers[0]), sku(numbers[-1])))
    return dict(rows.order_by().values_list("sku", "pk"))


def build_product(number: int, seed: int, demo_categories: list[Category]) -> Product:
    """Product `number`, unsaved, without derived columns. All of its fields are determined by `number` and `seed`."""
    rng, index, colour = random.Random(f"{seed}:{number}"), leaf_of(number, seed), colour_of(number, seed)
    leaf = words.LEAVES[index]
    brand, line, noun = rng.choice(words.BRANDS), rng.choice(words.LINES), rng.choice(leaf.nouns)
    quality = f"{rng.choice(words.QUALITIES)} " if rng.random() < 0.4 else ""
    name = f"{line} {quality}{noun}, {colour}"
    return Product(
        name=name,
        slug=f"{slugify(name)}-{number:07d}",
        sku=sku(number),
        brand=brand,
        description=_description(rng, leaf, brand=brand, line=line, noun=noun, colour=colour.lower()),
        category=demo_categories[index],
        price=_price(rng, *leaf.prices),
        quantity=0 if rng.random() < SOLD_OUT else int(rng.lognormvariate(3.2, 0.9)) + 1,
        rating=round(min(5.0, max(1.0, rng.gauss(4.1, 0.55))), 1),
        created_at=FIRST_DAY + timedelta(seconds=rng.randrange(int((LAST_DAY - FIRST_DAY).total_seconds()))),
    )


def leaf_of(number: int, seed: int) -> int:
    """The index in `words.LEAVES` of the category of product `number`.

    The first products cycle through all categories, so that a small demo has every kind; the others are
    distributed unevenly.
    """
    if number <= len(words.LEAVES):
        return (number * STRIDE + seed) % len(words.LEAVES)
    return int(len(words.LEAVES) * random.Random(f"{seed}:{number}:sort").random() ** 1.5)


def colour_of(number: int, seed: int) -> str:
    """The colour in the name of product `number` and in its picture."""
    return random.Random(f"{seed}:{number}:colour").choice(list(words.COLOURS))


def _price(rng: random.Random, low: int, high: int) -> Decimal:
    """A price from `low` to about `high`: low ones are more frequent, and few are round."""
    whole = int(low * (high / low) ** rng.random())
    return whole + Decimal(rng.choice(["0.99", "0.95", "0.90", "0.50", "0.00"]))


def _description(rng: random.Random, leaf: words.Leaf, **names: str) -> str:
    first, second = rng.sample(leaf.features, 2)
    years = str(rng.randint(2, 10))
    sentences = [rng.choice(words.OPENINGS), f"{first}.", f"{second}.", rng.choice(words.CLOSINGS)]
    return " ".join(sentences).format(years=years, **names)

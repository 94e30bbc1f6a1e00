"""Makes the demo's categories and products: the same ones for the same seed, however often it is called.

Product NUMBER has the SKU `DEMO-NUMBER`. Slugs and SKUs are unique by that number, so that no row
asks the database for a free one.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.utils.text import slugify

from productbackend.fields import fold
from products import categories, stock
from products.demo import words
from products.models import Category, Product

SKU_PREFIX = "DEMO-"
MOST = 9_999_999  # what the digits of an SKU can number
BATCH = 1_000  # products a transaction
FIRST_DAY, LAST_DAY = datetime(2020, 1, 1, tzinfo=UTC), datetime(2026, 6, 30, tzinfo=UTC)
TURN = 17  # has no divisor in common with the number of leaves, so that each has its turn
SOLD_OUT = 0.04  # the share of products that are


@dataclass(frozen=True)
class Sort:
    """A leaf of the tree with its row."""

    category: Category
    leaf: words.Leaf


def sku(number: int) -> str:
    return f"{SKU_PREFIX}{number:07d}"


@transaction.atomic
def make_categories() -> list[Sort]:
    """The leaves of the tree, in its order. What is there already, by name or by slug, is taken as it is."""
    sorts = []
    for root, groups in words.TREE.items():
        top = _category(None, root)
        for group, leaves in groups.items():
            middle = _category(top, group)
            sorts += [Sort(_category(middle, name), leaf) for name, leaf in leaves.items()]
    return sorts


def _category(parent: Category | None, name: str) -> Category:
    slug = slugify(f"{parent.slug} {name}" if parent else name)
    key = f"{parent.pk if parent else 0}:{fold(name)}"
    there = Category.objects.filter(sibling_key=key).first() or Category.objects.filter(slug=slug).first()
    if there is not None:
        return there
    return categories.create(name=name, slug=slug, parent=parent)


def make_products(total: int, *, seed: int, sorts: list[Sort]) -> Iterator[tuple[int, int]]:
    """Make those of the products 1 to `total` that are missing; yields each batch's size and how many were new.

    A batch is one transaction: stopping midway leaves whole batches.
    """
    for first in range(1, total + 1, BATCH):
        numbers = range(first, min(first + BATCH, total + 1))
        yield len(numbers), _make_batch(numbers, seed, sorts)


@transaction.atomic
def _make_batch(numbers: range, seed: int, sorts: list[Sort]) -> int:
    there = ids(numbers)
    products = [draft(number, seed, sorts) for number in numbers if sku(number) not in there]
    if not products:
        return 0
    # bulk_create stamps "now" and, on MySQL, brings no ids back: dates are written after.
    created = [product.created_at for product in products]
    Product.objects.bulk_create(products)
    made = ids(numbers)
    for product, moment in zip(products, created, strict=True):
        product.pk, product.created_at = made[product.sku], moment
    Product.objects.bulk_update(products, ["created_at"])
    stock.record_initial(products=products)
    return len(products)


def ids(numbers: range) -> Mapping[str, int]:
    """The ids of those demo products that exist, by SKU."""
    rows = Product.objects.filter(sku__range=(sku(numbers[0]), sku(numbers[-1])))
    return dict(rows.order_by().values_list("sku", "pk"))


def draft(number: int, seed: int, sorts: list[Sort]) -> Product:
    """Product `number`, not saved. Everything about it follows from `number` and `seed`."""
    chance, sort, colour = random.Random(f"{seed}:{number}"), sort_of(number, seed, sorts), colour_of(number, seed)
    brand, line, noun = chance.choice(words.BRANDS), chance.choice(words.LINES), chance.choice(sort.leaf.nouns)
    quality = f"{chance.choice(words.QUALITIES)} " if chance.random() < 0.4 else ""
    name = f"{line} {quality}{noun}, {colour}"
    product = Product(
        name=name,
        slug=f"{slugify(name)}-{number:07d}",
        sku=sku(number),
        brand=brand,
        description=_description(chance, sort.leaf, brand=brand, line=line, noun=noun, colour=colour.lower()),
        category=sort.category,
        price=_price(chance, *sort.leaf.prices),
        quantity=0 if chance.random() < SOLD_OUT else int(chance.lognormvariate(3.2, 0.9)) + 1,
        rating=round(min(5.0, max(1.0, chance.gauss(4.1, 0.55))), 1),
        created_at=FIRST_DAY + timedelta(seconds=chance.randrange(int((LAST_DAY - FIRST_DAY).total_seconds()))),
    )
    product.derive()
    return product


def sort_of(number: int, seed: int, sorts: list[Sort]) -> Sort:
    """The leaf that product `number` stands in.

    The first ones take turns, so that a small demo shows every kind; then some sell more than others.
    """
    if number <= len(sorts):
        return sorts[(number * TURN + seed) % len(sorts)]
    return sorts[int(len(sorts) * random.Random(f"{seed}:{number}:sort").random() ** 1.5)]


def colour_of(number: int, seed: int) -> str:
    """The colour in the name of product `number`, which its picture has too."""
    return random.Random(f"{seed}:{number}:colour").choice(list(words.COLOURS))


def _price(chance: random.Random, low: int, high: int) -> Decimal:
    """More are cheap than dear, and hardly any price is round."""
    whole = int(low * (high / low) ** chance.random())
    return whole + Decimal(chance.choice(["0.99", "0.95", "0.90", "0.50", "0.00"]))


def _description(chance: random.Random, leaf: words.Leaf, **names: str) -> str:
    first, second = chance.sample(leaf.features, 2)
    years = str(chance.randint(2, 10))
    sentences = [chance.choice(words.OPENINGS), f"{first}.", f"{second}.", chance.choice(words.CLOSINGS)]
    return " ".join(sentences).format(years=years, **names)

"""Recomputes the search text of a category's products in the background, after it was renamed or moved.

A `Reindex` row says what is to be done and how far it is. A task works on it in slices; one process at a time has
claimed the row. `sweep` dispatches the task again if its message was lost or its worker was killed.
"""

import logging
import time
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from kombu.exceptions import KombuError

from productbackend.celery import app
from products import categories
from products.models import Category, Product, Reindex
from products.reads import caching
from products.search import derived

logger = logging.getLogger(__name__)

TASK = "products.tasks.reindex"
CHUNK = 5_000  # products between two records of the progress: two or three seconds
SLICE = 200  # products that are locked together: a tenth of a second
TIME_MAX = 45  # seconds of one task, well below its time limit; then another one continues
LEASE = timedelta(seconds=60)  # a claim that was not renewed for longer has expired
GRACE = timedelta(seconds=15)  # for the first message to arrive before `sweep` sends another
SWEEP_SECONDS = 30
SWEEP_MAX = 100


def category_will_change(category: Category) -> None:
    """Enqueue the products of a category and its subtree if `category`, which is about to be saved, has a new path."""
    before = Category.objects.filter(pk=category.pk).values_list("name", "parent_id").first()
    if before is None or before == (category.name, category.parent_id):
        return
    Reindex.objects.filter(category=category).delete()  # a new row starts with the first product
    row = Reindex.objects.create(category=category)
    transaction.on_commit(lambda: dispatch_task(row.pk), robust=True)


def dispatch_task(reindex_id: int, *, expires: int | None = None) -> None:
    """Send the task. An unreachable broker is logged; `sweep` sends the task again."""
    try:
        app.send_task(TASK, [reindex_id], expires=expires)
    except (KombuError, OSError) as error:
        logger.warning("The broker is unreachable: reindex %d is not enqueued: %s", reindex_id, error)


def process(reindex_id: int) -> None:
    """Recompute the search text of the products, from where the last task stopped, unless another process does so."""
    row = _claim(reindex_id)
    deadline = time.monotonic() + TIME_MAX
    while row is not None and _refresh_chunk(row):
        if time.monotonic() > deadline:
            Reindex.objects.filter(pk=row.pk, claimed_at=row.claimed_at).update(claimed_at=None)
            dispatch_task(row.pk)
            return


def _claim(reindex_id: int) -> Reindex | None:
    now = timezone.now()
    rows = Reindex.objects.filter(_unclaimed(), pk=reindex_id)
    return Reindex.objects.get(pk=reindex_id) if rows.update(claimed_at=now) else None


def _unclaimed() -> Q:
    now = timezone.now()
    return Q(claimed_at=None) | Q(claimed_at__lt=now - LEASE) | Q(claimed_at__gt=now + LEASE)


def _refresh_chunk(row: Reindex) -> bool:
    """Recompute the next products and record the progress. Returns whether there are more, and the claim is held."""
    subtree = categories.subtree_ids(row.category_id)
    products = Product.objects.filter(category__in=subtree, pk__gt=row.last_product).order_by("pk")
    ids = list(products.values_list("pk", flat=True)[:CHUNK])
    for start in range(0, len(ids), SLICE):
        derived.write_slice(Product.objects.filter(pk__in=ids[start : start + SLICE]), Category.objects.all())
    claimed = Reindex.objects.filter(pk=row.pk, claimed_at=row.claimed_at)
    if len(ids) < CHUNK:
        claimed.delete()
        # Once, at the end: until then a cached search shows what it found before, for the TTL of a page at most.
        caching.catalogue_changed()
        return False
    row.last_product, row.claimed_at = ids[-1], timezone.now()
    return claimed.update(last_product=row.last_product, claimed_at=row.claimed_at) > 0


def sweep() -> int:
    """Dispatch the task again for rows that nobody works on, SWEEP_MAX at most. Returns how many."""
    now = timezone.now()
    old = Q(created_at__lt=now - GRACE) | Q(created_at__gt=now + GRACE)
    ids = list(Reindex.objects.filter(_unclaimed() & old).order_by("pk").values_list("pk", flat=True)[:SWEEP_MAX])
    for reindex_id in ids:
        dispatch_task(reindex_id, expires=SWEEP_SECONDS)  # before the next sweep, which would enqueue it twice
    return len(ids)

"""Adapts the renditions of images to the settings.

If an image only lacks files, these are added under the names of its present original, and nothing that exists is
changed. If one that exists has to change, all files get new names, for clients may cache a rendition forever under its
name; the old files are deleted an hour later (`products/images/replaced.py`). After an interruption the same command
continues, and `manage.py check_media` finds the orphans.
"""

import multiprocessing
import os
import signal
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from itertools import islice
from typing import Any

from django.conf import settings
from django.db import connections
from django.utils import timezone

from productbackend.database.transactions import atomic_with_retry
from productbackend.errors import FileStoreUnavailable
from products.images import files, renditions, replaced
from products.models import Product, ProductImage
from products.reads import caching

BATCH = 200
QUEUED_PER_PROCESS = 4  # images


def outdated(*, everything: bool = False) -> Iterator[tuple[int, list[int]]]:
    """The size of each batch of ready images, and the ids of those to rebuild: the outdated ones, or all."""
    rows = ProductImage.objects.filter(status=ProductImage.Status.READY).order_by("pk")
    last = 0
    while batch := list(rows.filter(pk__gt=last)[:BATCH]):
        yield len(batch), [image.pk for image in batch if everything or not is_current(image)]
        last = batch[-1].pk


def is_current(image: ProductImage) -> bool:
    """Whether the image has the renditions that the settings ask for, and all files exist."""
    return lacking(image) == set() and files.exists(image.original)


def lacking(image: ProductImage) -> set[str] | None:
    """The files that the settings ask for and the image lacks; None if it has one that the settings do not ask for."""
    wanted = {
        name: (
            renditions.fitted_size((image.width, image.height), plan["box"]),
            {files.rendition_name(image.original, name, format) for format in (image.format, *plan["formats"])},
        )
        for name, plan in settings.IMAGE_RENDITIONS.items()
    }
    for name, row in image.renditions.items():
        size, names = wanted.get(name, ((0, 0), set()))
        if size != (row["width"], row["height"]) or not names.issuperset(_files(row)):
            return None
    recorded = {file for row in image.renditions.values() for file in _files(row)}
    return {name for _, names in wanted.values() for name in names if name not in recorded or not files.exists(name)}


def _files(rendition: dict[str, Any]) -> list[str]:
    return [rendition["file"], *rendition.get("others", [])]


def rebuild(image_id: int, *, everything: bool = False) -> str | None:
    """Add the renditions that an image lacks; if others are outdated or with `everything`, replace all.

    Returns why that failed, or None; after a failure the old ones remain.
    """
    image = ProductImage.objects.filter(pk=image_id, status=ProductImage.Status.READY).first()
    if image is None:
        return None  # deleted meanwhile
    try:
        lacks = None if everything else lacking(image)
        if lacks is None:
            _replace_all(image)
        elif lacks:
            _add(image, lacks)
        elif not files.exists(image.original):
            raise FileNotFoundError
    except FileNotFoundError:
        return "The uploaded file is gone." if ProductImage.objects.filter(pk=image_id).exists() else None
    except (renditions.InvalidPicture, FileStoreUnavailable) as error:
        return str(error)
    return None


def _add(image: ProductImage, lacks: set[str]) -> None:
    """Write the files that the image lacks, then record them."""
    plan = {
        name: wanted
        for name, wanted in settings.IMAGE_RENDITIONS.items()
        if any(files.rendition_name(image.original, name, f) in lacks for f in (image.format, *wanted["formats"]))
    }
    with files.open_file(image.original) as file:
        result = renditions.render(file, plan=plan, max_pixels=settings.IMAGE_MAX_PIXELS)
    described = files.write_renditions(image.original, result, only=lacks)
    if not _record_added(image, described) and not ProductImage.objects.filter(pk=image.pk).exists():
        files.remove(lacks)


@atomic_with_retry
def _record_added(image: ProductImage, described: dict[str, Any]) -> bool:
    """Record added renditions, unless the image was deleted or replaced meanwhile. Returns whether it was recorded."""
    row = _locked(image)
    if row is None:
        return False
    ProductImage.objects.filter(pk=row.pk).update_without_invalidation(renditions=row.renditions | described)
    return True


def _replace_all(image: ProductImage) -> None:
    """Write the original and all renditions under new names, then record these."""
    new = ProductImage(original=files.new_name(image.original.rpartition(".")[2]))
    recorded = False
    try:
        with files.open_file(image.original) as file:
            result = renditions.render(file, plan=settings.IMAGE_RENDITIONS, max_pixels=settings.IMAGE_MAX_PIXELS)
            files.write(new.original, file)
        new.renditions = files.write_renditions(new.original, result)
        recorded = _record_replaced(image, new)
    finally:
        if not recorded:
            files.remove(files.candidate_files(new))


@atomic_with_retry
def _record_replaced(image: ProductImage, new: ProductImage) -> bool:
    """Record the new names, and the old ones as replaced, unless the image was deleted or replaced meanwhile."""
    row = _locked(image)
    if row is None:
        return False
    replaced.record(row)
    ProductImage.objects.filter(pk=row.pk).update_without_invalidation(original=new.original, renditions=new.renditions)
    return True


def _locked(image: ProductImage) -> ProductImage | None:
    """The row, locked after its product, if it is ready and has the same original. Invalidates the product's pages."""
    Product.objects.filter(pk=image.product_id).update_without_invalidation(updated_at=timezone.now())
    caching.stock_changed([image.product_id])
    rows = ProductImage.objects.filter(pk=image.pk, original=image.original, status=ProductImage.Status.READY)
    return rows.select_for_update().first()


def rebuild_all(ids: Iterator[int], *, processes: int, everything: bool = False) -> Iterator[tuple[int, str | None]]:
    """Rebuild images in `processes` processes. Yields each id and the result of `rebuild`, in order of completion."""
    if processes == 1:
        yield from ((image_id, rebuild(image_id, everything=everything)) for image_id in ids)
        return
    connections.close_all()  # each process opens its own connections
    context = multiprocessing.get_context("fork")
    pool = ProcessPoolExecutor(processes, mp_context=context, initializer=_ignore_sigint)
    waiting: dict[Future[str | None], int] = {}
    try:
        pool.submit(os.getpid).result()  # starts all processes, before a connection is opened here
        while True:
            for image_id in islice(ids, processes * QUEUED_PER_PROCESS - len(waiting)):
                waiting[pool.submit(rebuild, image_id, everything=everything)] = image_id
            if not waiting:
                return
            done, _ = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                yield waiting.pop(future), future.result()
    finally:
        pool.shutdown(cancel_futures=True)  # rebuilds in progress are completed


def _ignore_sigint() -> None:
    # Ctrl-C is handled by the parent process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)

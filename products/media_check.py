"""Compares the file store with the rows: files that belong to no image, and images without their files.

What lies there under a name that is not of our making is somebody else's, and only named.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from products import image_files
from products.models import ProductImage

# A file has no row yet while an upload is under way, and its row no name for it while renditions are made.
GRACE_SECONDS = 3600
BATCH = 200


@dataclass(frozen=True)
class Missing:
    """A file that an image's row names and that is not there."""

    image_id: int
    product_id: int
    name: str


@dataclass(frozen=True)
class Looked:
    """At how many files, which of them belong to no image, and which are not ours at all."""

    files: int
    strays: list[str]
    foreign: list[str]


def look() -> Iterator[Looked]:
    """What the file store holds, one batch of files after another."""
    files = iter(image_files.stored())
    while batch := list(islice(files, BATCH)):
        latest = time.time() - GRACE_SECONDS
        old = [name for name, changed_at in batch if changed_at < latest and image_files.is_ours(name)]
        owned = _owned(old)
        foreign = [name for name, _ in batch if not image_files.is_ours(name)]
        yield Looked(len(batch), [name for name in old if name not in owned], foreign)


def _owned(names: Iterable[str]) -> set[str]:
    """Every file of the images that these files can belong to."""
    originals = {original for name in names for original in image_files.originals_of(name)}
    rows = ProductImage.objects.filter(original__in=originals) if originals else []
    return {name for image in rows for name in _files(image)}


def _files(image: ProductImage) -> list[str]:
    """The files that an image may have: one that waits may have what an attempt left, which the next replaces."""
    return image_files.possible(image) if image.status == ProductImage.Status.PENDING else image_files.made(image)


def remove(names: Sequence[str]) -> list[str]:
    """Remove the files; returns those that are still there."""
    image_files.remove(names)
    return [name for name in names if image_files.exists(name)]


def missing() -> Iterator[tuple[int, list[Missing]]]:
    """For one batch of images after another: how many they are, and which of their files are not there."""
    rows = ProductImage.objects.order_by("pk")
    last = 0
    while batch := list(rows.filter(pk__gt=last)[:BATCH]):
        yield len(batch), [gap for image in batch for gap in _gaps(image)]
        last = batch[-1].pk


def _gaps(image: ProductImage) -> list[Missing]:
    if all(image_files.exists(name) for name in image_files.made(image)):
        return []
    now = ProductImage.objects.filter(pk=image.pk).first()  # it may have gone or changed since the batch was read
    names = image_files.made(now) if now else []
    return [Missing(image.pk, image.product_id, name) for name in names if not image_files.exists(name)]

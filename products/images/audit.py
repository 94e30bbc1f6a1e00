"""Compares the file store with the rows: files that belong to no image, and images without their files.

Files whose names this service does not generate are foreign: they are reported and never removed.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from products.images import files, replaced
from products.models import ProductImage

# While an upload is processed or an image is rebuilt, no row has the new files yet.
GRACE_SECONDS = 3600
BATCH = 200


@dataclass(frozen=True)
class MissingFile:
    """A file that an image's row names and that does not exist."""

    image_id: int
    product_id: int
    name: str


@dataclass(frozen=True)
class ScanBatch:
    """The number of files, and the names of those that belong to no image or that another program wrote."""

    files: int
    orphans: list[str]
    foreign: list[str]


def scan() -> Iterator[ScanBatch]:
    """Compare all files in the file store with the rows, batch by batch."""
    found = iter(files.walk())
    while batch := list(islice(found, BATCH)):
        latest = time.time() - GRACE_SECONDS
        old = [name for name, changed_at in batch if changed_at < latest and files.has_generated_name(name)]
        known = _files_of_images(old)
        foreign = [name for name, _ in batch if not files.has_generated_name(name)]
        yield ScanBatch(len(batch), [name for name in old if name not in known], foreign)


def _files_of_images(names: Iterable[str]) -> set[str]:
    """Every file of the images that `names` can belong to, replaced ones included that are not yet deleted."""
    originals = {original for name in names for original in files.originals_of(name)}
    if not originals:
        return set()
    # In this order: a rebuild in between moves the files from the first table to the second.
    known = {name for image in ProductImage.objects.filter(original__in=originals) for name in _files(image)}
    return known | replaced.files_of_originals(originals)


def _files(image: ProductImage) -> list[str]:
    """The files that an image may have. The next attempt or rebuild overwrites those of an interrupted one."""
    return files.recorded_files(image) if image.status == ProductImage.Status.FAILED else files.candidate_files(image)


def remove(names: Sequence[str]) -> list[str]:
    """Remove the files and return those that still exist."""
    files.remove(names)
    return [name for name in names if files.exists(name)]


def missing_files() -> Iterator[tuple[int, list[MissingFile]]]:
    """The size of each batch of images, and which of their files are missing."""
    rows = ProductImage.objects.order_by("pk")
    last = 0
    while batch := list(rows.filter(pk__gt=last)[:BATCH]):
        yield len(batch), [file for image in batch for file in _missing_files_of(image)]
        last = batch[-1].pk


def _missing_files_of(image: ProductImage) -> list[MissingFile]:
    if all(files.exists(name) for name in files.recorded_files(image)):
        return []
    current = ProductImage.objects.filter(pk=image.pk).first()  # the row may have changed since the batch was read
    names = files.recorded_files(current) if current else []
    return [MissingFile(image.pk, image.product_id, name) for name in names if not files.exists(name)]

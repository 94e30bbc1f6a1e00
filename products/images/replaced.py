"""The files that a rebuild has replaced. They stay for an hour, because a cached page may still name them.

The row of `ReplacedFiles` is written together with the image's new names. `sweep` deletes the files, then the row, so
that it continues after it is killed at any point.
"""

import logging
import time
from collections.abc import Iterable
from datetime import timedelta

from django.utils import timezone

from productbackend.errors import FileStoreUnavailable
from products.images import files
from products.models import ProductImage, ReplacedFiles

logger = logging.getLogger(__name__)

KEPT_FOR = timedelta(hours=1)
SWEEP_MAX = 2000
SWEEP_SECONDS = 60  # a bucket takes a request for each file; the next sweep continues


def record(image: ProductImage) -> None:
    """Record the files that the row of `image` names, in the transaction that gives it other names."""
    ReplacedFiles.objects.create(
        image=image, original=image.original, files=files.recorded_files(image), replaced_at=timezone.now()
    )


def files_of(image: ProductImage) -> list[str]:
    """The replaced files of an image that are not yet deleted."""
    return [name for row in ReplacedFiles.objects.filter(image_id=image.pk) for name in row.files]


def files_of_originals(originals: Iterable[str]) -> set[str]:
    """The replaced files that belong to former originals of these names and are not yet deleted."""
    return {name for row in ReplacedFiles.objects.filter(original__in=originals) for name in row.files}


def sweep() -> int:
    """Delete files that were replaced more than an hour ago. Returns of how many rebuilds.

    If the file store is unreachable, the rows remain for the next sweep.
    """
    due = ReplacedFiles.objects.filter(replaced_at__lt=timezone.now() - KEPT_FOR).order_by("replaced_at")
    began, count = time.monotonic(), 0
    for row in due[:SWEEP_MAX]:
        if time.monotonic() - began > SWEEP_SECONDS:
            break
        files.remove(row.files)
        try:
            if any(files.exists(name) for name in row.files):
                continue  # the log has the reason
        except FileStoreUnavailable:
            logger.warning("The file store is unreachable: replaced files are deleted later")
            break
        row.delete()
        count += 1
    return count

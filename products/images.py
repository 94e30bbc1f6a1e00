"""The story of an image: uploaded, claimed by a worker, ready or failed, removed.

The row is the truth and the task a nudge: what a lost nudge, a killed worker or a restart left
behind, `sweep` brings back.
"""

import hashlib
import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.core.files.base import File
from django.db import transaction
from django.db.models import F, Max, Min, Q
from django.utils import timezone
from kombu.exceptions import KombuError

from productbackend.celery import app
from productbackend.errors import DomainError, FileStoreUnavailable, InvalidValue
from productbackend.transactions import retried
from products import caching, image_files, renditions
from products.models import Product, ProductImage

logger = logging.getLogger(__name__)

TASK = "products.tasks.make_renditions"
# A task is told after SOFT_LIMIT seconds to come to its end, and its process is killed after TIME_LIMIT:
# a decoder may not return to hear it. A claim older than LEASE is therefore a dead worker's.
SOFT_LIMIT = 15
TIME_LIMIT = 20
LEASE = timedelta(seconds=25)
FETCH_MAX = 5  # seconds; what a slower file store leaves may be too few for any picture
GRACE = timedelta(seconds=15)  # for a nudge to arrive by itself
ATTEMPTS_MAX = 2
SWEEP_MAX = 200
SWEEP_SECONDS = 30


@dataclass(frozen=True)
class Upload:
    """A picture that was looked at and stored, and belongs to no product yet."""

    name: str
    sha256: str
    header: renditions.Header


def add(*, product_id: int, file: File, alt_text: str = "") -> tuple[ProductImage, bool]:
    """Take an uploaded picture in as the product's last image, and whether it is new.

    The same bytes for the same product give the image that exists. Raises DomainError:
    `too-large`, `invalid-image`, `not-found`, `unavailable`.
    """
    if not Product.objects.filter(pk=product_id).exists():
        raise _no_product()
    with stored(file) as upload:
        return attach(product_id=product_id, upload=upload, alt_text=alt_text)


@contextmanager
def stored(file: File) -> Iterator[Upload]:
    """Store an uploaded picture, which is removed again where no row names it in the end.

    Raises DomainError: `too-large`, `invalid-image`, `unavailable`.
    """
    header = inspect(file)
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    name = image_files.new_name(renditions.EXTENSIONS[header.format])
    image_files.write(name, file)
    try:
        yield Upload(name, digest.hexdigest(), header)
    finally:
        if not ProductImage.objects.filter(original=name).exists():
            image_files.remove([name])


def inspect(file: File) -> renditions.Header:
    """What the file is. Raises DomainError: `too-large`, `invalid-image`."""
    if file.size > settings.IMAGE_MAX_BYTES:
        raise DomainError("too-large", f"The picture may have {settings.IMAGE_MAX_BYTES:,} bytes at most.")
    try:
        return renditions.inspect(file, max_pixels=settings.IMAGE_MAX_PIXELS)
    except renditions.BadPicture as error:
        raise DomainError("invalid-image", str(error)) from None


def _no_product() -> DomainError:
    return DomainError("not-found", "There is no such product.")


@retried
def attach(*, product_id: int, upload: Upload, alt_text: str = "") -> tuple[ProductImage, bool]:
    """Make a stored picture the product's last image; returns it, or that of the same bytes, and whether it is new."""
    _lock_product(product_id)
    images = ProductImage.objects.filter(product_id=product_id)
    if image := images.filter(sha256=upload.sha256).first():
        return image, False
    last = images.aggregate(last=Max("position"))["last"]
    image = ProductImage.objects.create(
        product_id=product_id,
        original=upload.name,
        sha256=upload.sha256,
        format=upload.header.format,
        width=upload.header.width,
        height=upload.header.height,
        alt_text=alt_text,
        position=0 if last is None else last + 1,
    )
    transaction.on_commit(lambda: nudge(image.pk), robust=True)
    return image, True


def _lock_product(product_id: int) -> None:
    """Lock the product, whose lock orders all that is done to its images."""
    if Product.objects.select_for_update().filter(pk=product_id).order_by().values_list("pk").first() is None:
        raise _no_product()


def nudge(image_id: int, *, expires: int | None = None) -> None:
    """Ask a worker to process the image. A queue that does not answer is logged: the sweep asks again."""
    try:
        app.send_task(TASK, [image_id], expires=expires)
    except (KombuError, OSError) as error:
        logger.warning("The queue does not take image %d: %s", image_id, error)


def process(image_id: int) -> None:
    """Make the renditions of a pending image that no other worker has; else do nothing.

    What a crash leaves behind, or what takes too long, is tried once more; what only decoding can find
    ends in `failed`. A file store that does not answer, or is slow, is not the picture's fault.
    """
    image = _claim(image_id)
    if image is None:
        return
    began, fetched_in = time.monotonic(), 0.0
    try:
        with image_files.opened(image.original) as file:
            fetched_in = time.monotonic() - began
            result = renditions.make(file, plan=settings.IMAGE_RENDITIONS, max_pixels=settings.IMAGE_MAX_PIXELS)
        _publish(image, result)
    except FileNotFoundError:
        _fail(image, "file-missing", "The uploaded file is gone. Delete this image and upload the picture again.")
    except renditions.BadPicture as error:
        _fail(image, error.code, str(error))
    except FileStoreUnavailable:
        _wait_for_the_sweep(image, attempts=image.attempts - 1)
    except SoftTimeLimitExceeded:
        if fetched_in > FETCH_MAX:
            _wait_for_the_sweep(image, attempts=image.attempts - 1)
        elif image.attempts < ATTEMPTS_MAX:
            _wait_for_the_sweep(image, attempts=image.attempts)  # the machine may have been busy
        else:
            _fail(image, "too-slow", "The picture takes too long to process. Save it smaller and upload it again.")


def _claim(image_id: int) -> ProductImage | None:
    """Claim a waiting image, and count the attempt before it is made: it may end the process."""
    now = timezone.now()
    waiting = ProductImage.objects.filter(_unclaimed(now), pk=image_id, status=ProductImage.Status.PENDING)
    if waiting.filter(attempts__lt=ATTEMPTS_MAX).update(attempts=F("attempts") + 1, claimed_at=now):
        return ProductImage.objects.filter(pk=image_id).first()
    if image := waiting.filter(attempts__gte=ATTEMPTS_MAX).first():
        _fail(image, "unprocessable", "The picture could not be processed. Save it anew and upload it again.")
    return None


def _unclaimed(now: Any) -> Q:
    return Q(claimed_at=None) | Q(claimed_at__lt=now - LEASE)


def _pending(image_id: int) -> Any:
    return ProductImage.objects.filter(pk=image_id, status=ProductImage.Status.PENDING)


def _wait_for_the_sweep(image: ProductImage, *, attempts: int) -> None:
    """Give the claim back; `attempts` are those that were the picture's own."""
    _pending(image.pk).update(claimed_at=None, attempts=attempts)


def _fail(image: ProductImage, code: str, detail: str) -> None:
    """Say in the row what is wrong; what an attempt has made by then is of no use."""
    logger.warning("Image %d failed: %s", image.pk, code)
    _pending(image.pk).update_unseen(status=ProductImage.Status.FAILED, error_code=code, error_detail=detail)
    _leave_nothing_unnamed(image)


def _publish(image: ProductImage, result: renditions.Result) -> None:
    """Write the renditions, then say so in the row; where that went meanwhile, take them away again."""
    described = image_files.write_renditions(image.original, result)
    if not _show(image, described, result.header):
        _leave_nothing_unnamed(image)


@retried
def _show(image: ProductImage, described: dict[str, Any], header: renditions.Header) -> bool:
    """Make the image ready, and with it its product another to look at; whether it still waited for that.

    Of the kept pages those that show the product are void, as after a sale, and no others.
    """
    Product.objects.filter(pk=image.product_id).update_stock(updated_at=timezone.now())
    caching.stock_changed([image.product_id])
    waited = _pending(image.pk).update_unseen(
        status=ProductImage.Status.READY, renditions=described, width=header.width, height=header.height
    )
    return bool(waited)


def _leave_nothing_unnamed(image: ProductImage) -> None:
    """Remove the files that no row names, of an image that no longer waits."""
    now = ProductImage.objects.filter(pk=image.pk).first()
    if now is None or now.status == ProductImage.Status.FAILED:
        kept = image_files.made(now) if now else []
        image_files.remove(name for name in image_files.possible(image) if name not in kept)


def sweep() -> int:
    """Nudge again for what waits too long, a bounded number of images; return how many."""
    now = timezone.now()
    lost = Q(claimed_at__lt=now - LEASE) | Q(claimed_at=None, created_at__lt=now - GRACE)
    waiting = ProductImage.objects.filter(lost, status=ProductImage.Status.PENDING)
    ids = list(waiting.order_by("id").values_list("pk", flat=True)[:SWEEP_MAX])
    for image_id in ids:
        # What no worker takes up before the next sweep is dropped: it would be queued twice.
        nudge(image_id, expires=SWEEP_SECONDS)
    return len(ids)


def longest_wait() -> float:
    """How many seconds the oldest picture that is not ready has waited; 0 where none waits."""
    # By the lowest key, which the index of what waits has in it.
    oldest = ProductImage.objects.filter(status=ProductImage.Status.PENDING).aggregate(pk=Min("pk"))["pk"]
    made = ProductImage.objects.filter(pk=oldest).values_list("created_at", flat=True).first()
    return (timezone.now() - made).total_seconds() if made else 0.0


def change(*, image: ProductImage, alt_text: str | None = None, position: int | None = None) -> ProductImage:
    """Set what is given. Raises DomainError `not-found` where the row went meanwhile."""
    with transaction.atomic():
        row = ProductImage.objects.select_for_update().filter(pk=image.pk).first()
        if row is None:
            raise DomainError("not-found", "There is no such image.")
        row.alt_text = row.alt_text if alt_text is None else alt_text
        row.position = row.position if position is None else position
        row.save(update_fields=["alt_text", "position"])
    return row


@retried
def reorder(*, product_id: int, image_ids: Sequence[int]) -> None:
    """Put the product's images, all of them, into the given order. Raises InvalidValue."""
    _lock_product(product_id)
    images = {image.pk: image for image in ProductImage.objects.filter(product_id=product_id)}
    if len(image_ids) != len(images) or set(image_ids) != set(images):
        raise InvalidValue("images", "invalid", "Name each image of the product once, and no other.")
    for position, image_id in enumerate(image_ids):
        images[image_id].position = position
    ProductImage.objects.bulk_update(images.values(), ["position"], batch_size=200)


def remove(*, image: ProductImage) -> None:
    """Delete the image; its files go after the commit."""
    image.delete()


def forget(image: ProductImage) -> None:
    """Remove the files of a row that is being deleted, once that is committed."""
    names = image_files.possible(image)
    transaction.on_commit(lambda: remove_files(names), robust=True)


def remove_files(names: Iterable[str]) -> None:
    image_files.remove(names)

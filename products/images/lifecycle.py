"""The lifecycle of an image: uploaded, claimed by a worker, ready or failed, removed.

The row has the state; the task only triggers the processing. `sweep` dispatches the task again for
images whose message was lost or whose worker was killed.
"""

import hashlib
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.core.files.base import File
from django.db import transaction
from django.db.models import F, Max, Min, Q
from django.utils import timezone
from kombu.exceptions import KombuError

from productbackend.celery import app
from productbackend.database.transactions import atomic_with_retry
from productbackend.errors import DomainError, FileStoreUnavailable, InvalidValue
from products.images import files, renditions, replaced
from products.models import Product, ProductImage
from products.reads import caching

logger = logging.getLogger(__name__)

TASK = "products.tasks.make_renditions"
# Celery raises SoftTimeLimitExceeded in the task after SOFT_LIMIT seconds, and kills its process after TIME_LIMIT,
# for a decoder may not return to Python before. So a claim older than LEASE has expired.
SOFT_LIMIT = 15
TIME_LIMIT = 20
LEASE = timedelta(seconds=25)
FETCH_MAX = 5  # seconds; a slower file store may leave too few for any picture
GRACE = timedelta(seconds=15)  # for the first message to arrive before `sweep` sends another
ATTEMPTS_MAX = 2
SWEEP_MAX = 200
SWEEP_SECONDS = 30

Precondition = Callable[[ProductImage], None]  # may refuse by raising DomainError


@dataclass(frozen=True)
class Upload:
    """A picture that was validated and stored, and belongs to no product yet."""

    name: str
    sha256: str
    header: renditions.Header


def add(*, product_id: int, file: File, alt_text: str = "") -> tuple[ProductImage, bool]:
    """Add an uploaded picture as the product's last image. Returns the image and whether it is new.

    The same bytes for the same product return the existing image; if it failed, it is processed again.
    Raises DomainError: `too-large`, `invalid-image`, `not-found`, `unavailable`.
    """
    if not Product.objects.filter(pk=product_id).exists():
        raise _product_not_found()
    with stored_upload(file) as upload:
        return attach(product_id=product_id, upload=upload, alt_text=alt_text)


@contextmanager
def stored_upload(file: File) -> Iterator[Upload]:
    """Store an uploaded picture. On exit the file is removed if no row names it.

    Raises DomainError: `too-large`, `invalid-image`, `unavailable`.
    """
    header = validate_upload(file)
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    name = files.new_name(renditions.EXTENSIONS[header.format])
    files.write(name, file)
    try:
        yield Upload(name, digest.hexdigest(), header)
    finally:
        if not ProductImage.objects.filter(original=name).exists():
            files.remove([name])


def validate_upload(file: File) -> renditions.Header:
    """Check the size of the file and read its header. Raises DomainError: `too-large`, `invalid-image`."""
    if file.size > settings.IMAGE_MAX_BYTES:
        raise DomainError("too-large", f"The picture may have {settings.IMAGE_MAX_BYTES:,} bytes at most.")
    try:
        return renditions.read_header(file, max_pixels=settings.IMAGE_MAX_PIXELS)
    except renditions.InvalidPicture as error:
        raise DomainError("invalid-image", str(error)) from None


def _product_not_found() -> DomainError:
    return DomainError("not-found", "There is no such product.")


@atomic_with_retry
def attach(*, product_id: int, upload: Upload, alt_text: str = "") -> tuple[ProductImage, bool]:
    """Append a stored picture to the product's images. Returns the image of these bytes, and whether it is new.

    Raises DomainError `not-found`.
    """
    _lock_product(product_id)
    images = ProductImage.objects.filter(product_id=product_id)
    if image := images.filter(sha256=upload.sha256).first():
        if image.status == ProductImage.Status.FAILED:
            _retry_failed(image, upload)
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
    transaction.on_commit(lambda: dispatch_task(image.pk), robust=True)
    return image, True


def _retry_failed(image: ProductImage, upload: Upload) -> None:
    """Reset a failed image to pending, with the file that was uploaded now: the old one may be gone."""
    delete_files_on_commit(image)
    fields: dict[str, Any] = {
        "original": upload.name,
        "format": upload.header.format,
        "width": upload.header.width,
        "height": upload.header.height,
        "status": ProductImage.Status.PENDING,
        "error_code": "",
        "error_detail": "",
        "attempts": 0,
        "claimed_at": None,
        "created_at": timezone.now(),
    }
    ProductImage.objects.filter(pk=image.pk).update_without_invalidation(**fields)
    image.refresh_from_db()
    transaction.on_commit(lambda: dispatch_task(image.pk), robust=True)


def _lock_product(product_id: int) -> None:
    """Lock the product: its lock serializes all writes to its images. Raises DomainError `not-found`."""
    if Product.objects.select_for_update().filter(pk=product_id).order_by().values_list("pk").first() is None:
        raise _product_not_found()


def dispatch_task(image_id: int, *, expires: int | None = None) -> None:
    """Send the task that processes the image. An unreachable broker is logged; `sweep` sends the task again."""
    try:
        app.send_task(TASK, [image_id], expires=expires)
    except (KombuError, OSError) as error:
        logger.warning("The broker is unreachable: image %d is not enqueued: %s", image_id, error)


def process(image_id: int) -> None:
    """Make the renditions of a pending image that no other worker has claimed; else do nothing.

    After a crash or a timeout the image is retried once; a picture that cannot be decoded becomes `failed`.
    Attempts that fail because the file store is unreachable or slow are not counted.
    """
    image = _claim(image_id)
    if image is None:
        return
    began, fetched_in = time.monotonic(), 0.0
    try:
        with files.open_file(image.original) as file:
            fetched_in = time.monotonic() - began
            result = renditions.render(file, plan=settings.IMAGE_RENDITIONS, max_pixels=settings.IMAGE_MAX_PIXELS)
        _publish(image, result)
    except FileNotFoundError:
        _fail(image, "file-missing", "The uploaded file is gone. Delete this image and upload the picture again.")
    except renditions.InvalidPicture as error:
        _fail(image, error.code, str(error))
    except FileStoreUnavailable:
        _release_claim(image, attempts=image.attempts - 1)
    except SoftTimeLimitExceeded:
        if fetched_in > FETCH_MAX:
            _release_claim(image, attempts=image.attempts - 1)
        elif image.attempts < ATTEMPTS_MAX:
            _release_claim(image, attempts=image.attempts)  # the machine may have been busy
        else:
            _fail(image, "too-slow", "The picture takes too long to process. Save it smaller and upload it again.")


def _claim(image_id: int) -> ProductImage | None:
    """Claim a pending image. The attempt is counted before it begins, for it may end the process."""
    now = timezone.now()
    waiting = ProductImage.objects.filter(_unclaimed(now), pk=image_id, status=ProductImage.Status.PENDING)
    if waiting.filter(attempts__lt=ATTEMPTS_MAX).update_without_invalidation(
        attempts=F("attempts") + 1, claimed_at=now
    ):
        return ProductImage.objects.filter(pk=image_id).first()
    if image := waiting.filter(attempts__gte=ATTEMPTS_MAX).first():
        _fail(image, "unprocessable", "The picture could not be processed. Save and upload it again.")
    return None


def _unclaimed(now: datetime) -> Q:
    # A claim from the future is invalid: the clock was ahead when it was written.
    return Q(claimed_at=None) | Q(claimed_at__lt=now - LEASE) | Q(claimed_at__gt=now + LEASE)


def _pending(image: ProductImage) -> caching.CatalogueQuerySet[ProductImage]:
    """The image's row, if it is still pending and still has the same original."""
    return ProductImage.objects.filter(pk=image.pk, original=image.original, status=ProductImage.Status.PENDING)


def _release_claim(image: ProductImage, *, attempts: int) -> None:
    """Release the claim and set the number of attempts that count against the picture."""
    _pending(image).update_without_invalidation(claimed_at=None, attempts=attempts)


def _fail(image: ProductImage, code: str, detail: str) -> None:
    """Mark the image as failed and delete the files of its attempts."""
    logger.warning("Image %d failed: %s", image.pk, code)
    _pending(image).update_without_invalidation(status=ProductImage.Status.FAILED, error_code=code, error_detail=detail)
    _delete_orphans(image)


def _publish(image: ProductImage, result: renditions.Result) -> None:
    """Write the renditions, then mark the row as ready. If the row is gone by then, delete the files."""
    described = files.write_renditions(image.original, result)
    if not _mark_ready(image, described, result.header):
        _delete_orphans(image)


@atomic_with_retry
def _mark_ready(image: ProductImage, described: dict[str, Any], header: renditions.Header) -> bool:
    """Mark the image as ready and invalidate the cached pages that show its product. Returns whether it was pending."""
    Product.objects.filter(pk=image.product_id).update_without_invalidation(updated_at=timezone.now())
    caching.stock_changed([image.product_id])
    updated = _pending(image).update_without_invalidation(
        status=ProductImage.Status.READY, renditions=described, width=header.width, height=header.height
    )
    return bool(updated)


def _delete_orphans(image: ProductImage) -> None:
    """Remove the files of an image that is no longer pending with this original, unless a row names them."""
    current = ProductImage.objects.filter(pk=image.pk, original=image.original).first()
    if current is None or current.status == ProductImage.Status.FAILED:
        recorded = files.recorded_files(current) if current else []
        files.remove(name for name in files.candidate_files(image) if name not in recorded)


def sweep() -> int:
    """Dispatch the task again for images that have been pending for too long, SWEEP_MAX at most. Returns how many."""
    now = timezone.now()
    lost = Q(claimed_at__lt=now - LEASE) | Q(claimed_at__gt=now + LEASE)
    lost |= Q(claimed_at=None) & (Q(created_at__lt=now - GRACE) | Q(created_at__gt=now + GRACE))
    waiting = ProductImage.objects.filter(lost, status=ProductImage.Status.PENDING)
    ids = list(waiting.order_by("id").values_list("pk", flat=True)[:SWEEP_MAX])
    for image_id in ids:
        # Expires before the next sweep, which would enqueue it twice.
        dispatch_task(image_id, expires=SWEEP_SECONDS)
    return len(ids)


def oldest_pending_seconds() -> float:
    """The age of the oldest pending image in seconds; 0 if there is none."""
    # By the lowest primary key, which the index on status contains.
    oldest = ProductImage.objects.filter(status=ProductImage.Status.PENDING).aggregate(pk=Min("pk"))["pk"]
    created_at = ProductImage.objects.filter(pk=oldest).values_list("created_at", flat=True).first()
    return max(0.0, (timezone.now() - created_at).total_seconds()) if created_at else 0.0


@atomic_with_retry
def change(
    *,
    image: ProductImage,
    alt_text: str | None = None,
    position: int | None = None,
    precondition: Precondition = lambda image: None,
) -> ProductImage:
    """Change the given fields. `precondition` is called with the locked image first and may raise DomainError.

    Raises DomainError `not-found` if the row was deleted meanwhile.
    """
    row = locked_image(image)
    precondition(row)
    row.alt_text = row.alt_text if alt_text is None else alt_text
    row.position = row.position if position is None else position
    row.save(update_fields=["alt_text", "position"])
    caching.catalogue_changed()
    return row


def locked_image(image: ProductImage) -> ProductImage:
    """The current image, locked together with its product, so that a worker that publishes it waits.

    Raises DomainError `not-found`.
    """
    _lock_product(image.product_id)
    row = ProductImage.objects.select_for_update().filter(pk=image.pk).first()
    if row is None:
        raise DomainError("not-found", "There is no such image.")
    return row


@atomic_with_retry
def reorder(
    *, product_id: int, image_ids: Sequence[int], precondition: Callable[[int], None] = lambda product: None
) -> None:
    """Put all of the product's images into the given order.

    `precondition` is called with the product's id when the product is locked, and may raise DomainError.
    Raises InvalidValue if `image_ids` are not exactly the product's images, and DomainError `not-found`.
    """
    _lock_product(product_id)
    precondition(product_id)
    images = {image.pk: image for image in ProductImage.objects.filter(product_id=product_id)}
    if len(image_ids) != len(images) or set(image_ids) != set(images):
        raise InvalidValue("images", "invalid", "Name each image of the product once, and no other.")
    for position, image_id in enumerate(image_ids):
        images[image_id].position = position
    ProductImage.objects.bulk_update(images.values(), ["position"], batch_size=200)
    caching.catalogue_changed()


@atomic_with_retry
def remove(*, image: ProductImage, precondition: Precondition = lambda image: None) -> None:
    """Delete the image, and its files after the commit.

    `precondition` is called with the locked image first and may raise DomainError. Raises DomainError `not-found`.
    """
    row = locked_image(image)
    precondition(row)
    row.delete()
    caching.catalogue_changed()


def delete_files_on_commit(image: ProductImage) -> None:
    """Remove the files of a row that is being deleted, and those that it replaced, after the commit."""
    names = [*files.candidate_files(image), *replaced.files_of(image)]
    transaction.on_commit(lambda: remove_files(names), robust=True)


def remove_files(names: Iterable[str]) -> None:
    files.remove(names)

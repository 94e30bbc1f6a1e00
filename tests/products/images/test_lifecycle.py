"""Processing of images by workers: claims, attempts, and recovery."""

import base64
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.utils import timezone
from rest_framework.test import APIClient

from products.images import files, lifecycle, renditions
from products.models import Product, ProductImage
from tests.products import pictures
from tests.products.pictures import post

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("store")]


def update(image: ProductImage, **fields: Any) -> None:
    ProductImage.objects.filter(pk=image.pk).update(**fields)


@pytest.fixture
def pending(product: Product) -> ProductImage:
    image, _ = lifecycle.add(product_id=product.pk, file=pictures.upload(pictures.jpeg()))
    return image


@pytest.mark.parametrize("field", ["claimed_at", "created_at"])
def test_a_time_in_the_future_does_not_delay_an_image(pending: ProductImage, field: str) -> None:
    """The clock was ahead when it was written, and has been corrected."""
    update(pending, **{field: timezone.now() + timedelta(days=400)})
    assert lifecycle.oldest_pending_seconds() >= 0
    assert lifecycle.sweep() == 1
    lifecycle.process(pending.pk)
    pending.refresh_from_db()
    assert pending.status == ProductImage.Status.READY


def test_processing_twice_changes_nothing(pending: ProductImage) -> None:
    lifecycle.process(pending.pk)
    before = ProductImage.objects.values().get(pk=pending.pk)
    files = {name: (Path(settings.MEDIA_ROOT) / name).stat().st_mtime_ns for name in pictures.files()}
    lifecycle.process(pending.pk)
    assert ProductImage.objects.values().get(pk=pending.pk) == before
    assert {name: (Path(settings.MEDIA_ROOT) / name).stat().st_mtime_ns for name in pictures.files()} == files
    lifecycle.process(10**6)  # deleted meanwhile


def test_a_claimed_image_is_not_processed_until_the_claim_expires(pending: ProductImage) -> None:
    update(pending, attempts=1, claimed_at=timezone.now())
    lifecycle.process(pending.pk)
    pending.refresh_from_db()
    assert (pending.status, pending.attempts) == ("pending", 1)
    update(pending, claimed_at=timezone.now() - lifecycle.LEASE - timedelta(seconds=1))
    lifecycle.process(pending.pk)
    pending.refresh_from_db()
    assert (pending.status, pending.attempts) == ("ready", 2)


def test_an_image_fails_after_two_attempts_that_ended_the_worker(pending: ProductImage) -> None:
    update(pending, attempts=2, claimed_at=timezone.now() - lifecycle.LEASE - timedelta(seconds=1))
    lifecycle.process(pending.pk)
    pending.refresh_from_db()
    assert (pending.status, pending.error_code, pending.attempts) == ("failed", "unprocessable", 2)
    assert "could not be processed" in pending.error_detail


def test_the_attempt_is_counted_before_the_picture_is_decoded(
    pending: ProductImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*args: Any, **kwargs: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(renditions, "render", killed)
    with pytest.raises(KeyboardInterrupt):
        lifecycle.process(pending.pk)
    pending.refresh_from_db()
    assert (pending.status, pending.attempts) == ("pending", 1)
    assert pending.claimed_at is not None


def test_an_image_deleted_while_it_is_processed_leaves_no_file(
    pending: ProductImage, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    render = renditions.render

    def removed_meanwhile(*args: Any, **kwargs: Any) -> Any:
        with django_capture_on_commit_callbacks(execute=True):
            ProductImage.objects.get(pk=pending.pk).delete()
        return render(*args, **kwargs)

    monkeypatch.setattr(renditions, "render", removed_meanwhile)
    lifecycle.process(pending.pk)
    assert pictures.files() == []


def test_a_timeout_is_retried_once_and_then_fails_without_orphans(
    pending: ProductImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = files.write

    def out_of_time(name: str, *args: Any, **options: Any) -> None:
        write(name, *args, **options)
        if "-thumb" in name:
            raise SoftTimeLimitExceeded

    monkeypatch.setattr(files, "write", out_of_time)
    lifecycle.process(pending.pk)
    pending.refresh_from_db()
    assert (pending.status, pending.attempts, pending.claimed_at) == ("pending", 1, None)
    lifecycle.process(pending.pk)
    pending.refresh_from_db()
    assert (pending.status, pending.error_code, pending.attempts) == ("failed", "too-slow", 2)
    assert pending.error_detail.startswith("The picture takes too long")
    assert pictures.files() == [pending.original]


def test_timeouts_by_a_slow_file_store_are_not_counted(pending: ProductImage, monkeypatch: pytest.MonkeyPatch) -> None:
    def out_of_time(*args: Any, **kwargs: Any) -> None:
        raise SoftTimeLimitExceeded

    monkeypatch.setattr(renditions, "render", out_of_time)
    monkeypatch.setattr(lifecycle, "FETCH_MAX", -1)
    for _ in range(3):
        lifecycle.process(pending.pk)
        pending.refresh_from_db()
        assert (pending.status, pending.attempts, pending.claimed_at) == ("pending", 0, None)


def test_a_missing_original_fails_the_image(pending: ProductImage, store: Path) -> None:
    (store / pending.original).unlink()
    lifecycle.process(pending.pk)
    pending.refresh_from_db()
    assert (pending.status, pending.error_code) == ("failed", "file-missing")


def queued(task: str) -> list[int]:
    """Empty the queue and return the ids that it had for `task`."""
    found = []
    for message in sorted(Path(settings.BROKER_DIR, "queue").glob("*.msg")):
        body = json.loads(message.read_text())
        if body["headers"]["task"] == task:
            found.append(json.loads(base64.b64decode(body["body"]))[0][0])
        message.unlink()
    return sorted(found)


@pytest.mark.embedded
def test_an_upload_dispatches_the_task(
    staff: APIClient, product: Product, django_capture_on_commit_callbacks: Any
) -> None:
    queued(lifecycle.TASK)
    with django_capture_on_commit_callbacks(execute=True):
        image_id = post(staff, product).json()["id"]
    assert queued(lifecycle.TASK) == [image_id]


@pytest.mark.embedded
def test_the_sweep_dispatches_lost_tasks(product: Product) -> None:
    now, late = timezone.now(), timezone.now() - timedelta(seconds=60)
    lost, claimed, fresh, dead, ready = (
        lifecycle.add(product_id=product.pk, file=pictures.upload(pictures.jpeg(60 + n)))[0] for n in range(5)
    )
    update(lost, created_at=late)
    update(claimed, created_at=late, claimed_at=now)
    update(fresh, created_at=now)
    update(dead, created_at=late, claimed_at=late, attempts=1)
    update(ready, created_at=late, status="ready")
    queued(lifecycle.TASK)
    assert lifecycle.sweep() == 2
    assert queued(lifecycle.TASK) == sorted([lost.pk, dead.pk])


@pytest.mark.django_db(transaction=True)
@pytest.mark.embedded
def test_an_unreachable_broker_does_not_fail_the_upload(
    staff: APIClient, product: Product, caplog: pytest.LogCaptureFixture
) -> None:
    folder = Path(settings.BROKER_DIR, "queue")
    moved = folder.with_name("moved")
    folder.mkdir(parents=True, exist_ok=True)
    folder.rename(moved)
    folder.write_text("no folder")
    try:
        assert post(staff, product).status_code == 201
    finally:
        folder.unlink()
        moved.rename(folder)
    assert ProductImage.objects.get().status == "pending"
    assert "The broker is unreachable" in caplog.text

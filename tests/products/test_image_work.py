"""What workers do about images: claims, attempts, and what comes back after a loss."""

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

from products import image_files, images, renditions
from products.models import Product, ProductImage
from tests.products import pictures
from tests.products.pictures import post

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("store")]


def aged(image: ProductImage, **fields: Any) -> None:
    ProductImage.objects.filter(pk=image.pk).update(**fields)


@pytest.fixture
def pending(product: Product) -> ProductImage:
    image, _ = images.add(product_id=product.pk, file=pictures.upload(pictures.jpeg()))
    return image


def test_processing_twice_changes_nothing(pending: ProductImage) -> None:
    images.process(pending.pk)
    before = ProductImage.objects.values().get(pk=pending.pk)
    files = {name: (Path(settings.MEDIA_ROOT) / name).stat().st_mtime_ns for name in pictures.files()}
    images.process(pending.pk)
    assert ProductImage.objects.values().get(pk=pending.pk) == before
    assert {name: (Path(settings.MEDIA_ROOT) / name).stat().st_mtime_ns for name in pictures.files()} == files
    images.process(10**6)  # gone meanwhile


def test_a_claimed_image_is_left_alone_until_the_claim_is_old(pending: ProductImage) -> None:
    aged(pending, attempts=1, claimed_at=timezone.now())
    images.process(pending.pk)
    pending.refresh_from_db()
    assert (pending.status, pending.attempts) == ("pending", 1)
    aged(pending, claimed_at=timezone.now() - images.LEASE - timedelta(seconds=1))
    images.process(pending.pk)
    pending.refresh_from_db()
    assert (pending.status, pending.attempts) == ("ready", 2)


def test_after_two_attempts_that_ended_the_worker_it_is_failed(pending: ProductImage) -> None:
    aged(pending, attempts=2, claimed_at=timezone.now() - images.LEASE - timedelta(seconds=1))
    images.process(pending.pk)
    pending.refresh_from_db()
    assert (pending.status, pending.error_code, pending.attempts) == ("failed", "unprocessable", 2)
    assert "could not be processed" in pending.error_detail


def test_the_attempt_is_counted_before_the_picture_is_decoded(
    pending: ProductImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*args: Any, **kwargs: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(renditions, "make", killed)
    with pytest.raises(KeyboardInterrupt):
        images.process(pending.pk)
    pending.refresh_from_db()
    assert (pending.status, pending.attempts) == ("pending", 1)
    assert pending.claimed_at is not None


def test_an_image_removed_while_it_is_processed_leaves_no_file(
    pending: ProductImage, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    make = renditions.make

    def removed_meanwhile(*args: Any, **kwargs: Any) -> Any:
        with django_capture_on_commit_callbacks(execute=True):
            ProductImage.objects.get(pk=pending.pk).delete()
        return make(*args, **kwargs)

    monkeypatch.setattr(renditions, "make", removed_meanwhile)
    images.process(pending.pk)
    assert pictures.files() == []


def test_what_takes_too_long_is_tried_once_more_and_then_failed_with_nothing_left_behind(
    pending: ProductImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = image_files.write

    def out_of_time(name: str, *args: Any, **options: Any) -> None:
        write(name, *args, **options)
        if "-thumb" in name:
            raise SoftTimeLimitExceeded

    monkeypatch.setattr(image_files, "write", out_of_time)
    images.process(pending.pk)
    pending.refresh_from_db()
    assert (pending.status, pending.attempts, pending.claimed_at) == ("pending", 1, None)
    images.process(pending.pk)
    pending.refresh_from_db()
    assert (pending.status, pending.error_code, pending.attempts) == ("failed", "too-slow", 2)
    assert pending.error_detail.startswith("The picture takes too long")
    assert pictures.files() == [pending.original]


def test_time_that_a_slow_file_store_took_is_not_the_pictures(
    pending: ProductImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def out_of_time(*args: Any, **kwargs: Any) -> None:
        raise SoftTimeLimitExceeded

    monkeypatch.setattr(renditions, "make", out_of_time)
    monkeypatch.setattr(images, "FETCH_MAX", -1)
    for _ in range(3):
        images.process(pending.pk)
        pending.refresh_from_db()
        assert (pending.status, pending.attempts, pending.claimed_at) == ("pending", 0, None)


def test_an_original_that_is_gone_is_said_so(pending: ProductImage, store: Path) -> None:
    (store / pending.original).unlink()
    images.process(pending.pk)
    pending.refresh_from_db()
    assert (pending.status, pending.error_code) == ("failed", "file-missing")


def queued(task: str) -> list[int]:
    """The ids that the queue holds for `task`, and an empty queue after it."""
    found = []
    for message in sorted(Path(settings.BROKER_DIR, "queue").glob("*.msg")):
        body = json.loads(message.read_text())
        if body["headers"]["task"] == task:
            found.append(json.loads(base64.b64decode(body["body"]))[0][0])
        message.unlink()
    return sorted(found)


@pytest.mark.embedded
def test_an_upload_nudges_a_worker(staff: APIClient, product: Product, django_capture_on_commit_callbacks: Any) -> None:
    queued(images.TASK)
    with django_capture_on_commit_callbacks(execute=True):
        image_id = post(staff, product).json()["id"]
    assert queued(images.TASK) == [image_id]


@pytest.mark.embedded
def test_the_sweep_brings_back_what_was_lost(product: Product) -> None:
    now, late = timezone.now(), timezone.now() - timedelta(seconds=60)
    lost, claimed, fresh, dead, ready = (
        images.add(product_id=product.pk, file=pictures.upload(pictures.jpeg(60 + n)))[0] for n in range(5)
    )
    aged(lost, created_at=late)
    aged(claimed, created_at=late, claimed_at=now)
    aged(fresh, created_at=now)
    aged(dead, created_at=late, claimed_at=late, attempts=1)
    aged(ready, created_at=late, status="ready")
    queued(images.TASK)
    assert images.sweep() == 2
    assert queued(images.TASK) == sorted([lost.pk, dead.pk])


@pytest.mark.django_db(transaction=True)
@pytest.mark.embedded
def test_a_queue_that_is_down_does_not_fail_the_upload(
    staff: APIClient, product: Product, caplog: pytest.LogCaptureFixture
) -> None:
    folder = Path(settings.BROKER_DIR, "queue")
    away = folder.with_name("away")
    folder.mkdir(parents=True, exist_ok=True)
    folder.rename(away)
    folder.write_text("no folder")
    try:
        assert post(staff, product).status_code == 201
    finally:
        folder.unlink()
        away.rename(folder)
    assert ProductImage.objects.get().status == "pending"
    assert "The queue does not take image" in caplog.text

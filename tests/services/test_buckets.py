"""Images in the buckets of an S3 server: the tests for files on a disk, and further ones."""

import io
import multiprocessing
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from celery.exceptions import SoftTimeLimitExceeded
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from django.utils import timezone
from rest_framework.test import APIClient

from backoffice.feeds import building
from backoffice.feeds import files as feeds
from backoffice.feeds.models import FeedBuild
from productbackend.errors import FileStoreUnavailable
from productbackend.storages import s3
from products.images import audit, files, lifecycle
from products.models import Product, ProductImage
from tests import factories
from tests.backoffice.feeds.reading import URL, items, pages, picture
from tests.products import pictures
from tests.products.images.test_lifecycle import (
    pending,  # noqa: F401
    test_a_missing_original_fails_the_image,  # noqa: F401
    test_a_timeout_is_retried_once_and_then_fails_without_orphans,  # noqa: F401
    test_an_image_deleted_while_it_is_processed_leaves_no_file,  # noqa: F401
)
from tests.products.images.test_rebuild import TestRebuilding, rebuild_images, test_several_processes  # noqa: F401
from tests.products.images.test_views import *  # noqa: F403 - all of them
from tests.products.pictures import add, fetch, path, post
from tests.services.buckets import KEY, ORIGINALS, RENDITIONS, SECRET, BucketPath, Objects
from tests.storages.test_media import (
    test_a_part_of_a_rendition,  # noqa: F401
    test_renditions_are_served_for_long_and_nothing_else_is,  # noqa: F401
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("store"), pytest.mark.xdist_group("buckets")]


@pytest.fixture(scope="module")
def objects() -> Iterator[Objects]:
    objects = Objects()
    objects.start()
    objects.make_buckets()
    yield objects
    objects.stop()


@pytest.fixture
def store(objects: Objects, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BucketPath]:
    """Empty buckets as the file store; asserts that no file is written to this machine's disk."""
    server = {"endpoint_url": objects.url, "region_name": "us-east-1", "access_key": KEY, "secret_key": SECRET}
    cache_options = {"object_parameters": {"CacheControl": settings.MEDIA_CACHE_CONTROL}}
    settings.STORAGES = {
        **settings.STORAGES,
        "originals": {"BACKEND": "productbackend.storages.s3.Bucket", "OPTIONS": {"bucket_name": ORIGINALS, **server}},
        "default": {
            "BACKEND": "productbackend.storages.s3.Bucket",
            "OPTIONS": {"bucket_name": RENDITIONS, **server, **cache_options},
        },
    }
    settings.MEDIA_ROOT = tmp_path / "disk"
    monkeypatch.setattr(pictures, "files", objects.names)
    objects.empty()
    yield BucketPath(objects)
    assert not settings.MEDIA_ROOT.exists()


@pytest.fixture
def product(db: Any) -> Product:
    return factories.product()


# --- Who reads what ----------------------------------------------------------------------------


def test_everyone_reads_renditions_at_the_bucket_and_nobody_an_original(
    staff: APIClient, api: APIClient, product: Product, objects: Objects, settings: Any
) -> None:
    settings.MEDIA_URL = f"{objects.url}/{RENDITIONS}/"
    data = pictures.jpeg()
    image = ProductImage.objects.get(pk=post(staff, product, data).json()["id"])
    lifecycle.process(image.pk)
    shown = api.get(path(image)).json()
    for source in shown["sources"]:
        assert source["url"].startswith(settings.MEDIA_URL)
        answer = requests.get(source["url"], timeout=5)
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, source["type"])
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert pictures.decode(answer.content).size == (source["width"], source["height"])

    image.refresh_from_db()
    assert objects.names(ORIGINALS) == [image.original]
    assert objects.names(RENDITIONS) == sorted(files.recorded_files(image)[1:])
    assert requests.get(f"{objects.url}/{ORIGINALS}/{image.original}", timeout=5).status_code == 403
    assert requests.get(f"{objects.url}/{RENDITIONS}/{image.original}", timeout=5).status_code == 404
    grants = objects.client.get_object_acl(Bucket=ORIGINALS, Key=image.original)["Grants"]
    assert [grant["Grantee"]["Type"] for grant in grants] == ["CanonicalUser"]
    answer = fetch(staff, path(image, "original/"))
    assert b"".join(answer.streaming_content) == data
    assert int(answer["Content-Length"]) == len(data)


def test_the_sitemap_and_the_feed_are_among_the_renditions(
    api: APIClient, product: Product, objects: Objects, settings: Any
) -> None:
    settings.SHOP_PRODUCT_URL = URL
    picture(product)
    for _ in range(2):
        building.make()
        assert pages(api) == [[f"https://shop.example/p/{product.slug}"]]
        assert [item["id"] for item in items(api)] == [product.sku]
    assert len(objects.names(RENDITIONS)) == 4
    for build in FeedBuild.objects.all():
        feeds.remove(build)
    assert objects.names() == []
    assert api.get("/feeds/google.xml").status_code == 503


# --- check_media --------------------------------------------------------------------------------


def check_media(*arguments: str) -> list[str]:
    out = io.StringIO()
    try:
        call_command("check_media", *arguments, stdout=out)
    except CommandError as error:
        return [*out.getvalue().splitlines(), str(error)]
    return out.getvalue().splitlines()


def test_check_media_knows_both_buckets(
    store: BucketPath, product: Product, objects: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "GRACE_SECONDS", -60)  # an object's age cannot be set
    monkeypatch.setattr(s3, "PAGE", 2)
    whole, lacking = add(product), add(product, 61)
    stored = objects.names()
    assert check_media() == [f"{len(stored)} files and 2 images agree."]

    strays = [f"products/ab/ab{'0' * 30}.jpg", f"products/ab/ab{'0' * 30}-full.webp"]
    for name in strays:
        (store / name).write_bytes(b"x")
    (store / "notes.txt").write_bytes(b"x")
    # As after copying a folder into the wrong bucket; the file in the right bucket must stay.
    objects.client.put_object(Bucket=RENDITIONS, Key=whole.original, Body=b"x")
    thumb = lacking.renditions["thumb"]["file"]
    (store / thumb).unlink()
    assert set(check_media("--delete")) == {
        *(f"{name}: belongs to no image, removed" for name in strays),
        f"{RENDITIONS}: {whole.original}: not the service's own",
        "notes.txt: not the service's own",
        f"image {lacking.pk} of product {product.pk}: {thumb} is gone",
        f"0 of {len(stored) + 1} files belong to no image, 1 files of 2 images are gone. "
        "2 files that are not the service's own were ignored.",
    }
    assert objects.names(ORIGINALS) == sorted([whole.original, lacking.original, "notes.txt"])
    assert whole.original in objects.names(RENDITIONS)


# --- The server is unreachable ---------------------------------------------------------------------


def test_an_unreachable_file_store_is_a_503(
    staff: APIClient, api: APIClient, product: Product, objects: Objects
) -> None:
    image = add(product)
    full = f"/media/{image.renditions['full']['file']}"
    before = objects.names()
    with objects.gone():
        for answer in (post(staff, product, pictures.jpeg(61)), fetch(staff, path(image, "original/")), api.get(full)):
            assert (answer.status_code, answer.json()["type"]) == (503, "/problems/unavailable")
            assert answer.json()["detail"] == "The file store does not answer."
            assert answer["Retry-After"]
            assert "no-store" in answer["Cache-Control"]
        assert api.get(path(image)).status_code == 200  # needs no file
        assert check_media() == ["The file store does not answer."]
        with pytest.raises(CommandError, match=r"The file store does not answer\. Run the same command"):
            rebuild_images()
        with pytest.raises(CommandError, match="1 images could not be rebuilt"):
            rebuild_images("--all")
    assert ProductImage.objects.get().renditions == image.renditions
    assert objects.names() == before
    assert post(staff, product, pictures.jpeg(61)).status_code == 201
    assert rebuild_images("--all")[-1].endswith("1 were rebuilt.")


def test_orphans_of_an_unreachable_server_are_found_later(
    staff: APIClient,
    product: Product,
    objects: Objects,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    monkeypatch.setattr(audit, "GRACE_SECONDS", -60)
    image = add(product)
    with objects.gone(), django_capture_on_commit_callbacks(execute=True):
        assert staff.delete(path(image)).status_code == 204
    assert len(objects.names()) == 7
    check_media("--delete")
    assert objects.names() == []


def test_an_attempt_without_the_server_does_not_count(
    product: Product, objects: Objects, django_capture_on_commit_callbacks: Any
) -> None:
    image, _ = lifecycle.add(product_id=product.pk, file=pictures.upload(pictures.jpeg()))
    with objects.gone():
        for _ in range(3):
            lifecycle.process(image.pk)
            image.refresh_from_db()
            assert (image.status, image.attempts, image.claimed_at) == ("pending", 0, None)
    ProductImage.objects.filter(pk=image.pk).update(created_at=timezone.now() - lifecycle.GRACE * 2)
    assert lifecycle.sweep() == 1
    lifecycle.process(image.pk)
    image.refresh_from_db()
    assert (image.status, image.attempts) == ("ready", 1)


def test_renditions_that_cannot_be_put_are_retried(
    product: Product, objects: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    image, _ = lifecycle.add(product_id=product.pk, file=pictures.upload(pictures.jpeg()))
    write, puts = files.write, []

    def gone_midway(name: str, content: Any) -> None:
        puts.append(name)
        if len(puts) == 3:
            with objects.gone():
                write(name, content)
        write(name, content)

    monkeypatch.setattr(files, "write", gone_midway)
    lifecycle.process(image.pk)
    image.refresh_from_db()
    assert (image.status, image.attempts, len(objects.names(RENDITIONS))) == ("pending", 0, 2)
    lifecycle.process(image.pk)
    image.refresh_from_db()
    assert image.status == "ready"
    assert objects.names() == sorted(files.recorded_files(image))


def test_a_soft_time_limit_during_a_request_is_a_storage_error(product: Product, settings: Any) -> None:
    image, _ = lifecycle.add(product_id=product.pk, file=pictures.upload(pictures.jpeg()))

    def out_of_time(*args: Any) -> None:
        raise SoftTimeLimitExceeded

    with socket.create_server(("127.0.0.1", 0)) as hole:
        options = {
            **settings.STORAGES["originals"]["OPTIONS"],
            "endpoint_url": f"http://127.0.0.1:{hole.getsockname()[1]}",
        }
        settings.STORAGES = {**settings.STORAGES, "originals": {**settings.STORAGES["originals"], "OPTIONS": options}}
        before = signal.signal(signal.SIGALRM, out_of_time)
        signal.setitimer(signal.ITIMER_REAL, 1)
        try:
            lifecycle.process(image.pk)
        finally:
            signal.signal(signal.SIGALRM, before)
    image.refresh_from_db()
    assert (image.status, image.attempts, image.claimed_at) == ("pending", 0, None)


def test_a_forked_process_has_its_own_connections() -> None:
    """Two processes on one connection would read each other's responses."""
    bucket: Any = storages["originals"]
    inherited = bucket.client

    def compare() -> None:
        os._exit(0 if storages["originals"].client is not inherited else 1)  # type: ignore[attr-defined]

    process = multiprocessing.get_context("fork").Process(target=compare)
    process.start()
    process.join(30)
    assert process.exitcode == 0
    assert bucket.client is inherited


def test_a_missing_bucket_is_not_a_missing_file(product: Product, settings: Any, objects: Objects) -> None:
    image, _ = lifecycle.add(product_id=product.pk, file=pictures.upload(pictures.jpeg()))
    options = {**settings.STORAGES["originals"]["OPTIONS"], "bucket_name": "another"}
    settings.STORAGES = {**settings.STORAGES, "originals": {**settings.STORAGES["originals"], "OPTIONS": options}}
    with pytest.raises(FileStoreUnavailable):
        storages["originals"].open(image.original)
    lifecycle.process(image.pk)
    image.refresh_from_db()
    assert (image.status, image.attempts) == ("pending", 0)

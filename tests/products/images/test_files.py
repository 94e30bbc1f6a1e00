"""A file store that is full, read-only or missing: requests get a 503, and images stay pending."""

import errno
import os
import resource
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from products.images import files, lifecycle
from products.models import Product, ProductImage
from tests import factories
from tests.products import pictures
from tests.products.images.test_audit import refused
from tests.products.pictures import add, fetch, path, post

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("store")]


@contextmanager
def not_a_folder(store: Path) -> Iterator[None]:
    """ENOTDIR and EEXIST."""
    with gone(store):
        store.write_text("no folder")
        yield
        store.unlink()


@contextmanager
def gone(store: Path) -> Iterator[None]:
    """ENOENT: a disk that is not mounted, without a mount point."""
    moved = store.with_name("moved")
    store.rename(moved)
    yield
    moved.rename(store)


@contextmanager
def unmounted(store: Path) -> Iterator[None]:
    """An empty folder: a disk that is not mounted."""
    with gone(store):
        store.mkdir()
        yield
        store.rmdir()


@contextmanager
def loop(store: Path) -> Iterator[None]:
    """ELOOP."""
    with gone(store):
        store.symlink_to(store)
        yield
        store.unlink()


FAULTS = [not_a_folder, gone, unmounted, loop]
CODES = ["ENOSPC", "EROFS", "EACCES", "EIO", "EDQUOT", "ESTALE", "EMFILE", "ENFILE", "EPERM", "ETIMEDOUT", "EBUSY"]


def is_unavailable(response: Any) -> bool:
    return (
        response.status_code == 503
        and response.json()["type"] == "/problems/unavailable"
        and int(response["Retry-After"]) > 0
        and "file store" in response.json()["detail"]
    )


def is_pending(image: ProductImage) -> bool:
    image.refresh_from_db()
    return (image.status, image.attempts, image.claimed_at) == ("pending", 0, None)


@pytest.fixture
def pending(product: Product) -> ProductImage:
    image, _ = lifecycle.add(product_id=product.pk, file=pictures.upload(pictures.jpeg()))
    return image


@pytest.mark.parametrize("fault", FAULTS)
def test_without_the_folder_requests_are_503_and_images_stay_pending(
    fault: Any, staff: APIClient, product: Product, pending: ProductImage, store: Path
) -> None:
    ready = add(product, 61)
    with fault(store):
        assert is_unavailable(post(staff, product, pictures.jpeg(62)))
        form = {"name": "Boot", "quantity": 1, "image": pictures.upload(pictures.jpeg(63))}
        assert is_unavailable(staff.post("/products/", form, format="multipart"))
        assert is_unavailable(fetch(staff, path(ready, "original/")))
        assert is_unavailable(fetch(staff, f"/media/{ready.renditions['full']['file']}"))
        for _ in range(lifecycle.ATTEMPTS_MAX + 1):
            lifecycle.process(pending.pk)
            assert is_pending(pending)
        assert refused()[0] == "The file store does not answer."
    assert (Product.objects.count(), ProductImage.objects.count()) == (1, 2)
    lifecycle.process(pending.pk)
    pending.refresh_from_db()
    assert pending.status == "ready"
    assert b"".join(fetch(staff, path(ready, "original/")).streaming_content) == pictures.jpeg(61, 40)


@pytest.mark.parametrize("code", CODES)
def test_every_error_of_a_write_is_a_503(
    code: str, staff: APIClient, product: Product, pending: ProductImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any) -> None:
        raise OSError(getattr(errno, code), code)

    with monkeypatch.context() as broken:
        broken.setattr(Path, "replace", refuse)  # the last step of a write
        assert is_unavailable(post(staff, product, pictures.jpeg(61)))
        lifecycle.process(pending.pk)
        assert is_pending(pending)
    assert pictures.files() == [pending.original]
    lifecycle.process(pending.pk)
    pending.refresh_from_db()
    assert pending.status == "ready"


def test_a_read_error_does_not_fail_the_image(
    pending: ProductImage, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_file = files.open_file

    def breaking(name: str) -> Any:
        file = open_file(name)
        folder = os.open(store, os.O_RDONLY)
        os.dup2(folder, file.fileno())  # each read fails with EISDIR from now on
        os.close(folder)
        return file

    monkeypatch.setattr(files, "open_file", breaking)
    lifecycle.process(pending.pk)
    assert is_pending(pending)


def test_a_full_disk(staff: APIClient, product: Product, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "ab" + "0" * 30
    full = store / f"products/ab/{name}.jpg.part"
    full.parent.mkdir(parents=True)
    full.symlink_to("/dev/full")
    monkeypatch.setattr(secrets, "token_hex", lambda size: name)
    assert is_unavailable(post(staff, product))
    assert pictures.files() == []
    assert post(staff, product).status_code == 201  # the failed attempt removed the symlink


# --- The temporary file of an upload ---------------------------------------------------------------


@pytest.fixture
def client(settings: Any) -> Client:
    """A client for the admin, with every upload in a temporary file."""
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 0
    client = Client()
    client.force_login(factories.user("boss", is_staff=True, is_superuser=True))
    return client


@pytest.mark.parametrize("fault", ["full", "gone"])
def test_no_space_for_an_upload(
    fault: str, client: Client, staff: APIClient, product: Product, settings: Any, tmp_path: Path
) -> None:
    form = {"name": "Boot", "quantity": 1, "image": pictures.upload(pictures.jpeg(2000, 1500))}
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    if fault == "full":
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    else:
        settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "nowhere"
    try:
        responses = [
            post(staff, product, pictures.jpeg(2000, 1500)),
            staff.post("/products/", form, format="multipart"),
            client.post("/admin/products/product/add/", {"upload": pictures.upload(pictures.jpeg(2000, 1500))}),
        ]
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [is_unavailable(response) for response in responses] == [True] * 3
    settings.FILE_UPLOAD_TEMP_DIR = None
    assert post(staff, product).status_code == 201


def test_a_long_extension_of_a_clients_file_name_is_accepted(
    client: Client, staff: APIClient, product: Product
) -> None:
    file = pictures.upload(pictures.jpeg(), name="a." + "b" * 253)
    response = staff.post(f"/products/{product.pk}/images/", {"image": file}, format="multipart")
    assert response.status_code == 201, response.content


# --- A failed picture that is uploaded again -------------------------------------------------------


def failed(image: ProductImage) -> None:
    ProductImage.objects.filter(pk=image.pk).update(
        status="failed", error_code="unprocessable", error_detail="Not now.", attempts=2, alt_text="A shoe"
    )


@pytest.mark.parametrize("is_there", [True, False])
def test_the_same_bytes_after_a_failure_are_retried(
    is_there: bool,
    staff: APIClient,
    product: Product,
    pending: ProductImage,
    store: Path,
    django_capture_on_commit_callbacks: Any,
) -> None:
    failed(pending)
    if not is_there:
        (store / pending.original).unlink()
    with django_capture_on_commit_callbacks(execute=True):
        response = post(staff, product)
    assert response.status_code == 200, response.content
    image = response.json()
    assert (image["id"], image["status"], image["error"], image["alt_text"]) == (pending.pk, "pending", None, "A shoe")
    stale = pending.original
    assert is_pending(pending)
    assert pictures.files() == [pending.original] != [stale]
    lifecycle.process(pending.pk)
    assert fetch(staff, path(pending)).json()["status"] == "ready"
    assert len(pictures.files()) == 7


def test_a_worker_with_an_expired_claim_does_not_change_the_new_file(
    staff: APIClient, product: Product, pending: ProductImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its claim expired, the image failed, and the picture was uploaded again."""
    write = files.write_renditions

    def overtaken(*args: Any) -> Any:
        failed(pending)
        assert post(staff, product).json()["status"] == "pending"
        return write(*args)

    monkeypatch.setattr(files, "write_renditions", overtaken)
    lifecycle.process(pending.pk)
    assert is_pending(pending)
    monkeypatch.undo()
    lifecycle.process(pending.pk)
    image = ProductImage.objects.get()
    assert image.status == "ready"
    assert set(files.recorded_files(image)) <= set(pictures.files())
    assert not [name for name in pictures.files() if "-" in name and name not in files.recorded_files(image)]

"""manage.py check_media: the file store against the rows."""

import io
import os
import time
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from products.images import audit, files, lifecycle
from products.models import Product, ProductImage
from tests.products import pictures
from tests.products.pictures import add

pytestmark = pytest.mark.django_db


def check_media(*arguments: str) -> list[str]:
    out = io.StringIO()
    call_command("check_media", *arguments, stdout=out)
    return out.getvalue().splitlines()


def refused(*arguments: str) -> tuple[str, list[str]]:
    """The command's error and its output."""
    out = io.StringIO()
    with pytest.raises(CommandError) as error:
        call_command("check_media", *arguments, stdout=out)
    return str(error.value), sorted(out.getvalue().splitlines())


def set_age(store: Path, seconds: float = 4000) -> None:
    """Set the age of every file."""
    then = time.time() - seconds
    for path in store.rglob("*"):
        os.utime(path, (then, then), follow_symlinks=False)


def put(store: Path, *names: str) -> None:
    for name in names:
        (store / name).parent.mkdir(parents=True, exist_ok=True)
        (store / name).write_bytes(b"x")


def test_a_store_that_agrees_with_the_rows(store: Path, product: Product) -> None:
    assert check_media() == ["0 files and 0 images agree."]
    add(product)
    waiting, _ = lifecycle.add(product_id=product.pk, file=pictures.upload(pictures.jpeg(61)))
    put(store, waiting.original.replace(".jpg", "-full.jpg"))  # of an interrupted attempt
    set_age(store)
    before = pictures.files()
    assert check_media("--delete") == [f"{len(before)} files and 2 images agree."]
    assert pictures.files() == before


def test_orphans_are_listed_and_deleted_with_the_option(
    store: Path, product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "BATCH", 2)
    image = add(product)
    recorded = pictures.files()
    orphans = [
        f"products/ab/ab{'0' * 30}.jpg",
        f"products/ab/ab{'0' * 30}-full.webp",
        image.original + ".part",
        image.original.replace(".jpg", "-huge.jpg"),
        f"products/cd/cd{'1' * 30}-thumb.gif.part",
    ]
    put(store, *orphans)
    set_age(store)

    error, lines = refused()
    assert error == f"5 of {len(recorded) + 5} files belong to no image, 0 files of 1 images are gone."
    assert lines == sorted(f"{name}: belongs to no image" for name in orphans)
    assert len(pictures.files()) == len(recorded) + 5

    *lines, last = check_media("--delete")
    assert sorted(lines) == sorted(f"{name}: belongs to no image, removed" for name in orphans)
    assert last == f"{len(recorded)} files and 1 images agree. 5 files that belonged to no image were removed."
    assert pictures.files() == recorded


def test_files_of_an_upload_in_progress_are_ignored(store: Path) -> None:
    put(store, f"products/ab/ab{'0' * 30}.jpg")
    set_age(store, seconds=3500)
    assert check_media("--delete") == ["1 files and 0 images agree."]
    set_age(store, seconds=3700)
    assert "1 files" in check_media("--delete")[-1]
    assert pictures.files() == []


def test_renditions_of_a_failed_image_are_orphans(store: Path, product: Product) -> None:
    image = add(product, status="failed", renditions={})
    set_age(store)
    check_media("--delete")
    assert pictures.files() == [image.original]


def test_foreign_files_are_listed_separately_and_not_deleted(store: Path, product: Product) -> None:
    add(product)
    ours = pictures.files()
    orphan = f"products/ab/ab{'0' * 30}.jpg"
    foreign = [
        ".gitkeep",
        "elsewhere/Ωmega.png",
        "products/notes.txt",
        f"products/ab/cd{'0' * 30}.jpg",
        f"products/ab/ab{'0' * 30}.svg",
        f"products/ab/ab{'0' * 30}-my-own.jpg",
        f"products/ab/ab{'0' * 30}.jpg.bak",
        f"products/ab/{'a' * 31}.jpg",
        f"backup/products/ab/ab{'0' * 30}.jpg",
    ]
    put(store, orphan, *foreign)
    (store / "link.jpg").symlink_to(store / orphan)
    set_age(store)
    *lines, last = check_media("--delete")
    assert sorted(lines) == sorted(
        [f"{orphan}: belongs to no image, removed", *(f"{n}: not the service's own" for n in [*foreign, "link.jpg"])]
    )
    assert last.endswith(
        "1 files that belonged to no image were removed. 10 files that are not the service's own were ignored."
    )
    assert pictures.files() == sorted([*ours, *foreign])
    assert (store / "link.jpg").is_symlink()


def test_a_broken_symlink_is_an_orphan(store: Path) -> None:
    link = store / "products" / "ab" / f"ab{'0' * 30}.jpg"
    link.parent.mkdir(parents=True)
    link.symlink_to(store / "nowhere")
    set_age(store)
    check_media("--delete")
    assert not link.is_symlink()


def test_missing_files_are_listed(store: Path, product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "BATCH", 1)
    a, b, _ = (add(product, 60 + n) for n in range(3))
    thumb = b.renditions["thumb"]["file"]
    (store / a.original).unlink()
    (store / thumb).unlink()
    error, lines = refused("--delete")
    assert error.endswith("2 files of 3 images are gone.")
    assert lines == [
        f"image {a.pk} of product {product.pk}: {a.original} is gone",
        f"image {b.pk} of product {product.pk}: {thumb} is gone",
    ]


def test_files_of_an_image_deleted_meanwhile_are_not_missing(
    product: Product, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    image = add(product)
    recorded_files = files.recorded_files

    def removed_meanwhile(read: ProductImage) -> list[str]:
        with django_capture_on_commit_callbacks(execute=True):
            ProductImage.objects.filter(pk=image.pk).delete()
        return recorded_files(read)

    monkeypatch.setattr(files, "recorded_files", removed_meanwhile)
    monkeypatch.setattr(audit, "scan", lambda: iter(()))
    assert check_media()[-1] == "0 files and 1 images agree."


def test_each_batch_needs_two_queries_for_files_and_one_for_rows(
    store: Path, product: Product, django_assert_num_queries: Any
) -> None:
    for number in range(4):
        add(product, 60 + number)
    set_age(store)
    with django_assert_num_queries(
        5
    ):  # the rows of the files, replaced files, the count, a batch of rows, the last empty batch
        check_media()

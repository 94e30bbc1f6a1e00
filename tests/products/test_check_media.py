"""manage.py check_media: the file store against the rows."""

import io
import os
import time
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from products import image_files, images, media_check
from products.models import Product, ProductImage
from tests.products import pictures
from tests.products.pictures import add

pytestmark = pytest.mark.django_db


def check_media(*arguments: str) -> list[str]:
    out = io.StringIO()
    call_command("check_media", *arguments, stdout=out)
    return out.getvalue().splitlines()


def refused(*arguments: str) -> tuple[str, list[str]]:
    """What the command ends with, and what it wrote before."""
    out = io.StringIO()
    with pytest.raises(CommandError) as error:
        call_command("check_media", *arguments, stdout=out)
    return str(error.value), sorted(out.getvalue().splitlines())


def age(store: Path, seconds: float = 4000) -> None:
    """Make every file that old."""
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
    waiting, _ = images.add(product_id=product.pk, file=pictures.upload(pictures.jpeg(61)))
    put(store, waiting.original.replace(".jpg", "-full.jpg"))  # of an attempt that did not come to its end
    age(store)
    before = pictures.files()
    assert check_media("--delete") == [f"{len(before)} files and 2 images agree."]
    assert pictures.files() == before


def test_files_without_a_row_are_named_and_removed_when_asked(
    store: Path, product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media_check, "BATCH", 2)
    image = add(product)
    kept = pictures.files()
    strays = [
        f"products/ab/ab{'0' * 30}.jpg",
        f"products/ab/ab{'0' * 30}-full.webp",
        image.original + ".part",
        image.original.replace(".jpg", "-huge.jpg"),
        f"products/cd/cd{'1' * 30}-thumb.gif.part",
    ]
    put(store, *strays)
    age(store)

    error, lines = refused()
    assert error == f"5 of {len(kept) + 5} files belong to no image, 0 files of 1 images are gone."
    assert lines == sorted(f"{name}: belongs to no image" for name in strays)
    assert len(pictures.files()) == len(kept) + 5

    *lines, last = check_media("--delete")
    assert sorted(lines) == sorted(f"{name}: belongs to no image, removed" for name in strays)
    assert last == f"{len(kept)} files and 1 images agree. 5 files that belonged to no image were removed."
    assert pictures.files() == kept


def test_an_upload_under_way_is_left_alone(store: Path) -> None:
    put(store, f"products/ab/ab{'0' * 30}.jpg")
    age(store, seconds=3500)
    assert check_media("--delete") == ["1 files and 0 images agree."]
    age(store, seconds=3700)
    assert "1 files" in check_media("--delete")[-1]
    assert pictures.files() == []


def test_what_a_failed_image_has_beside_its_original_belongs_to_none(store: Path, product: Product) -> None:
    image = add(product, status="failed", renditions={})
    age(store)
    check_media("--delete")
    assert pictures.files() == [image.original]


def test_files_that_others_put_there_are_named_apart_and_kept(store: Path, product: Product) -> None:
    add(product)
    ours = pictures.files()
    stray = f"products/ab/ab{'0' * 30}.jpg"
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
    put(store, stray, *foreign)
    (store / "link.jpg").symlink_to(store / stray)
    age(store)
    *lines, last = check_media("--delete")
    assert sorted(lines) == sorted(
        [f"{stray}: belongs to no image, removed", *(f"{n}: not the service's own" for n in [*foreign, "link.jpg"])]
    )
    assert last.endswith(
        "1 files that belonged to no image were removed. 10 files that are not the service's own were left alone."
    )
    assert pictures.files() == sorted([*ours, *foreign])
    assert (store / "link.jpg").is_symlink()


def test_a_link_that_leads_nowhere_is_a_file_too(store: Path) -> None:
    link = store / "products" / "ab" / f"ab{'0' * 30}.jpg"
    link.parent.mkdir(parents=True)
    link.symlink_to(store / "nowhere")
    age(store)
    check_media("--delete")
    assert not link.is_symlink()


def test_rows_without_their_files_are_named(store: Path, product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media_check, "BATCH", 1)
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


def test_an_image_removed_meanwhile_is_not_missed(
    product: Product, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    image = add(product)
    made = image_files.made

    def removed_meanwhile(read: ProductImage) -> list[str]:
        with django_capture_on_commit_callbacks(execute=True):
            ProductImage.objects.filter(pk=image.pk).delete()
        return made(read)

    monkeypatch.setattr(image_files, "made", removed_meanwhile)
    monkeypatch.setattr(media_check, "look", lambda: iter(()))
    assert check_media()[-1] == "0 files and 1 images agree."


def test_it_asks_the_database_once_for_a_batch(store: Path, product: Product, django_assert_num_queries: Any) -> None:
    for number in range(4):
        add(product, 60 + number)
    age(store)
    with django_assert_num_queries(4):  # the files' owners, the count, a batch of rows, the empty one that ends it
        check_media()

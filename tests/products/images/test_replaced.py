"""What a rebuild has replaced stays for an hour, because a cached page may name it."""

from pathlib import Path
from typing import Any

import pytest
from rest_framework.test import APIClient

from products.images import files
from products.models import Product, ReplacedFiles
from products.tasks import remove_replaced_files
from tests.products import pictures
from tests.products.images.test_audit import check_media, set_age
from tests.products.images.test_rebuild import an_hour_later, configure, rebuild_images, recorded
from tests.products.pictures import add, fetch, path

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("store")]


def test_they_are_served_for_an_hour_and_then_deleted(api: APIClient, product: Product, settings: Any) -> None:
    shown, old = api.get(path(add(product, 600))).json(), set(pictures.files())
    configure(settings, (300, 300))
    rebuild_images()
    remove_replaced_files()
    assert old < set(pictures.files())
    for name in ("full", "thumb", "large"):
        assert fetch(api, shown[name]).status_code == 200
    an_hour_later()
    assert set(pictures.files()) == recorded()
    assert fetch(api, shown["full"]).status_code == 404
    assert not ReplacedFiles.objects.exists()


def test_check_media_reports_none_of_them(product: Product, store: Path, settings: Any) -> None:
    add(product, 600)
    configure(settings, (300, 300))
    rebuild_images()
    count = len(pictures.files())
    set_age(store)
    assert check_media("--delete") == [f"{count} files and 1 images agree."]
    assert len(pictures.files()) == count
    an_hour_later()
    assert check_media() == [f"{count - 7} files and 1 images agree."]


def test_a_sweep_that_was_killed_is_continued(
    product: Product, store: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(product, 600)
    configure(settings, (300, 300))
    rebuild_images()
    remove = files.remove

    def killed(names: list[str]) -> None:
        remove(names[:3])
        raise KeyboardInterrupt

    monkeypatch.setattr(files, "remove", killed)
    with pytest.raises(KeyboardInterrupt):
        an_hour_later()
    monkeypatch.setattr(files, "remove", remove)
    remove_replaced_files()
    assert set(pictures.files()) == recorded()


def test_they_remain_to_be_deleted_while_the_file_store_is_away(product: Product, store: Path, settings: Any) -> None:
    add(product, 600)
    configure(settings, (300, 300))
    rebuild_images()
    away = store / "elsewhere"
    (store / "products").rename(away)
    an_hour_later()
    away.rename(store / "products")
    remove_replaced_files()
    assert set(pictures.files()) == recorded()


def test_deleting_the_image_removes_them_too(
    staff: APIClient, product: Product, settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    image = add(product, 600)
    configure(settings, (300, 300))
    rebuild_images()
    with django_capture_on_commit_callbacks(execute=True):
        assert staff.delete(path(image)).status_code == 204
    assert pictures.files() == []
    an_hour_later()
    assert not ReplacedFiles.objects.exists()

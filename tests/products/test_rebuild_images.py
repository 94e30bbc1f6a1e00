"""manage.py rebuild_images: renditions follow a change of the settings."""

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from products import image_files, rebuilding, renditions
from products.models import Product, ProductImage
from tests.products import pictures
from tests.products.pictures import add, fetch, path


def rebuild_images(*arguments: str, processes: int = 1) -> list[str]:
    out = io.StringIO()
    call_command("rebuild_images", *arguments, processes=processes, stdout=out)
    return out.getvalue().splitlines()


def want(settings: Any, box: tuple[int, int], *formats: str) -> None:
    settings.IMAGE_RENDITIONS = {**settings.IMAGE_RENDITIONS, "full": {"box": box, "formats": formats}}


@pytest.mark.django_db
@pytest.mark.usefixtures("store")
class TestRebuilding:
    def test_what_fits_is_left_alone(self, product: Product) -> None:
        add(product, 600)
        before = pictures.files()
        assert rebuild_images() == ["1 images are as the settings want them; 0 were made anew."]
        assert pictures.files() == before

    def test_a_change_of_the_settings_is_followed_under_new_names(
        self, api: APIClient, staff: APIClient, product: Product, settings: Any
    ) -> None:
        image = add(product, 600)
        old, bytes_before = set(pictures.files()), fetch(staff, path(image, "original/")).getvalue()
        want(settings, (300, 300), "AVIF")
        assert rebuild_images() == ["1 images are as the settings want them; 1 were made anew."]

        shown = api.get(path(image)).json()
        full = [(s["type"], s["width"]) for s in shown["sources"] if s["rendition"] == "full"]
        assert full == [("image/avif", 300), ("image/jpeg", 300)]
        assert pictures.opened(fetch(api, shown["full"]).content).size == (300, 20)
        assert fetch(staff, path(image, "original/")).getvalue() == bytes_before
        image.refresh_from_db()
        assert set(pictures.files()) == set(image_files.made(image))
        assert not old & set(pictures.files())
        assert rebuild_images() == ["1 images are as the settings want them; 0 were made anew."]

    def test_all_are_made_anew_when_asked(self, product: Product) -> None:
        add(product, 60)
        add(product, 61)
        assert rebuild_images("--all") == ["2 images are as the settings want them; 2 were made anew."]

    def test_a_rendition_whose_file_is_gone_comes_back(self, product: Product, store: Path) -> None:
        image = add(product)
        (store / image.renditions["thumb"]["file"]).unlink()
        rebuild_images()
        image.refresh_from_db()
        assert set(pictures.files()) == set(image_files.made(image))

    def test_what_cannot_be_made_anew_keeps_what_it_has(self, product: Product, store: Path, settings: Any) -> None:
        gone, broken, sound = (add(product, 600 + n) for n in range(3))
        (store / gone.original).unlink()
        (store / broken.original).write_bytes(b"no picture")
        before = {image.pk: image.renditions for image in (gone, broken)}
        kept = set(pictures.files()) - set(image_files.made(sound))
        want(settings, (300, 300))
        with pytest.raises(CommandError, match=r"^2 images keep the renditions that they had; 1 were"):
            rebuild_images()
        for image in (gone, broken):
            image.refresh_from_db()
            assert image.renditions == before[image.pk]
        assert kept <= set(pictures.files())
        sound.refresh_from_db()
        assert set(pictures.files()) == kept | set(image_files.made(sound))

    def test_it_can_be_stopped_and_goes_on(
        self, product: Product, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for number in range(3):
            add(product, 600 + number)
        want(settings, (300, 300))
        make, calls = renditions.make, []

        def stopped(*args: Any, **kwargs: Any) -> Any:
            calls.append(1)
            if len(calls) == 2:
                raise KeyboardInterrupt
            return make(*args, **kwargs)

        monkeypatch.setattr(renditions, "make", stopped)
        with pytest.raises(CommandError, match="goes on from here"):
            rebuild_images()
        assert rebuild_images() == ["3 images are as the settings want them; 2 were made anew."]
        rows = ProductImage.objects.all()
        assert set(pictures.files()) == {name for image in rows for name in image_files.made(image)}

    def test_an_image_removed_meanwhile_leaves_no_file(
        self, product: Product, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
    ) -> None:
        image = add(product)
        make = renditions.make

        def removed_meanwhile(*args: Any, **kwargs: Any) -> Any:
            with django_capture_on_commit_callbacks(execute=True):
                ProductImage.objects.get(pk=image.pk).delete()
            return make(*args, **kwargs)

        monkeypatch.setattr(renditions, "make", removed_meanwhile)
        assert rebuilding.rebuild(image.pk) is None
        assert pictures.files() == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("store")
def test_several_processes(product: Product, settings: Any) -> None:
    for number in range(12):
        add(product, 600 + number)
    want(settings, (300, 300))
    assert rebuild_images(processes=2) == ["12 images are as the settings want them; 12 were made anew."]
    rows = list(ProductImage.objects.all())
    assert {image.renditions["full"]["width"] for image in rows} == {300}
    assert set(pictures.files()) == {name for image in rows for name in image_files.made(image)}

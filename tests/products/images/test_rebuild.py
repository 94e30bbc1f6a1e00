"""manage.py rebuild_images: adds renditions, and rebuilds them after a change of the settings."""

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from products.images import files, rebuild, renditions, replaced
from products.models import Product, ProductImage, ReplacedFiles
from products.tasks import remove_replaced_files
from tests.products import pictures
from tests.products.images.test_audit import check_media, set_age
from tests.products.pictures import add, fetch, path


def rebuild_images(*arguments: str, processes: int = 1) -> list[str]:
    out = io.StringIO()
    call_command("rebuild_images", *arguments, processes=processes, stdout=out)
    return out.getvalue().splitlines()


def configure(settings: Any, box: tuple[int, int], *formats: str) -> None:
    settings.IMAGE_RENDITIONS = {**settings.IMAGE_RENDITIONS, "full": {"box": box, "formats": formats}}


def add_before_the_upgrade(product: Product, settings: Any, width: int = 600) -> ProductImage:
    """An image that was made when the settings had no `large`."""
    plan = settings.IMAGE_RENDITIONS
    settings.IMAGE_RENDITIONS = {name: plan[name] for name in ("full", "thumb")}
    image = add(product, width)
    settings.IMAGE_RENDITIONS = plan
    return image


def an_hour_later() -> None:
    """Make every rebuild an hour older, and run the periodic job."""
    for row in ReplacedFiles.objects.all():
        ReplacedFiles.objects.filter(pk=row.pk).update(replaced_at=row.replaced_at - replaced.KEPT_FOR)
    remove_replaced_files()


def delete_during_rendering(image: ProductImage, monkeypatch: pytest.MonkeyPatch, capture_callbacks: Any) -> None:
    """Let the image be deleted while its renditions are made."""
    render = renditions.render

    def deleted_meanwhile(*args: Any, **kwargs: Any) -> Any:
        with capture_callbacks(execute=True):
            ProductImage.objects.get(pk=image.pk).delete()
        return render(*args, **kwargs)

    monkeypatch.setattr(renditions, "render", deleted_meanwhile)


def recorded() -> set[str]:
    return {name for image in ProductImage.objects.all() for name in files.recorded_files(image)}


def states(store: Path) -> dict[str, tuple[int, bytes]]:
    """The time of the last change and the content of each file."""
    return {name: ((store / name).stat().st_mtime_ns, (store / name).read_bytes()) for name in pictures.files()}


@pytest.mark.django_db
@pytest.mark.usefixtures("store")
class TestAdding:
    def test_a_missing_rendition_is_added_and_nothing_else_is_written(
        self, api: APIClient, product: Product, store: Path, settings: Any
    ) -> None:
        image = add_before_the_upgrade(product, settings, 1500)
        before, shown = states(store), api.get(path(image)).json()
        assert shown["large"] is None
        assert rebuild_images() == ["1 images match the settings; 1 were rebuilt."]

        added = [image.original.replace(".jpg", f"-large.{format}") for format in ("jpg", "webp")]
        after = states(store)
        assert sorted(after.keys() - before.keys()) == added
        assert {name: after[name] for name in before} == before
        now = api.get(path(image)).json()
        assert {name: now[name] for name in ("full", "thumb")} == {name: shown[name] for name in ("full", "thumb")}
        assert now["large"] == f"http://testserver/media/{added[0]}"
        assert pictures.decode(fetch(api, now["large"]).content).size == (1200, 32)
        assert rebuild_images() == ["1 images match the settings; 0 were rebuilt."]

    def test_a_cached_page_shows_it(
        self, api: APIClient, product: Product, settings: Any, django_capture_on_commit_callbacks: Any
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            add_before_the_upgrade(product, settings)
        assert api.get("/products/").json()["results"][0]["images"][0]["large"] is None
        with django_capture_on_commit_callbacks(execute=True):
            rebuild_images()
        assert api.get("/products/").json()["results"][0]["images"][0]["large"].endswith("-large.jpg")

    def test_only_the_lost_file_of_a_rendition_is_written(self, product: Product, store: Path) -> None:
        image = add(product)
        before = states(store)
        lost = image.renditions["thumb"]["others"][0]
        (store / lost).unlink()
        rebuild_images()
        after = states(store)
        assert after.keys() == before.keys()
        assert {name for name in before if after[name] != before[name]} == {lost}

    def test_a_format_is_added(self, api: APIClient, product: Product, settings: Any) -> None:
        image = add(product, 600)
        before = pictures.files()
        configure(settings, (500, 500), "WEBP", "AVIF")
        rebuild_images()
        assert set(pictures.files()) - set(before) == {image.original.replace(".jpg", "-full.avif")}
        sources = api.get(path(image)).json()["sources"]
        assert [s["type"] for s in sources if s["rendition"] == "full"] == ["image/avif", "image/webp", "image/jpeg"]

    def test_after_an_interruption_before_the_row_is_written(
        self, product: Product, store: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        image = add_before_the_upgrade(product, settings)
        write_renditions = files.write_renditions

        def killed(*args: Any, **kwargs: Any) -> None:
            write_renditions(*args, **kwargs)
            raise KeyboardInterrupt

        monkeypatch.setattr(files, "write_renditions", killed)
        with pytest.raises(CommandError, match="Run the same command to continue"):
            rebuild_images()
        monkeypatch.setattr(files, "write_renditions", write_renditions)
        set_age(store)
        assert check_media("--delete") == ["7 files and 1 images agree."]  # the next rebuild replaces them
        image.refresh_from_db()
        assert "large" not in image.renditions
        assert rebuild_images() == ["1 images match the settings; 1 were rebuilt."]
        assert set(pictures.files()) == recorded()

    def test_an_image_deleted_meanwhile_leaves_no_file(
        self, product: Product, settings: Any, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
    ) -> None:
        image = add_before_the_upgrade(product, settings)
        delete_during_rendering(image, monkeypatch, django_capture_on_commit_callbacks)
        assert rebuild.rebuild(image.pk) is None
        assert pictures.files() == []


@pytest.mark.django_db
@pytest.mark.usefixtures("store")
class TestRebuilding:
    def test_current_images_are_not_rebuilt(self, product: Product) -> None:
        add(product, 600)
        before = pictures.files()
        assert rebuild_images() == ["1 images match the settings; 0 were rebuilt."]
        assert pictures.files() == before

    def test_after_a_change_of_the_settings_files_have_new_names(
        self, api: APIClient, staff: APIClient, product: Product, settings: Any
    ) -> None:
        image = add(product, 600)
        old, bytes_before = set(pictures.files()), fetch(staff, path(image, "original/")).getvalue()
        configure(settings, (300, 300), "AVIF")
        assert rebuild_images() == ["1 images match the settings; 1 were rebuilt."]

        shown = api.get(path(image)).json()
        full = [(s["type"], s["width"]) for s in shown["sources"] if s["rendition"] == "full"]
        assert full == [("image/avif", 300), ("image/jpeg", 300)]
        assert pictures.decode(fetch(api, shown["full"]).content).size == (300, 20)
        assert fetch(staff, path(image, "original/")).getvalue() == bytes_before
        assert not old & recorded()
        assert set(pictures.files()) == old | recorded()
        assert rebuild_images() == ["1 images match the settings; 0 were rebuilt."]

    def test_all_are_rebuilt_with_the_option(self, product: Product) -> None:
        add(product, 60)
        add(product, 61)
        assert rebuild_images("--all") == ["2 images match the settings; 2 were rebuilt."]

    def test_a_rendition_that_the_settings_no_longer_have_is_dropped(
        self, api: APIClient, product: Product, settings: Any
    ) -> None:
        image = add(product, 600)
        settings.IMAGE_RENDITIONS = {name: settings.IMAGE_RENDITIONS[name] for name in ("full", "thumb")}
        assert rebuild_images() == ["1 images match the settings; 1 were rebuilt."]
        assert api.get(path(image)).json()["large"] is None
        an_hour_later()
        assert set(pictures.files()) == recorded()

    def test_images_that_cannot_be_rebuilt_keep_their_renditions(
        self, product: Product, store: Path, settings: Any
    ) -> None:
        gone, broken, intact = (add(product, 600 + n) for n in range(3))
        (store / gone.original).unlink()
        (store / broken.original).write_bytes(b"no picture")
        before = {image.pk: image.renditions for image in (gone, broken)}
        unchanged = set(pictures.files()) - set(files.recorded_files(intact))
        configure(settings, (300, 300))
        with pytest.raises(CommandError, match=r"^2 images could not be rebuilt and keep their renditions; 1 were"):
            rebuild_images()
        for image in (gone, broken):
            image.refresh_from_db()
            assert image.renditions == before[image.pk]
        an_hour_later()
        intact.refresh_from_db()
        assert set(pictures.files()) == unchanged | set(files.recorded_files(intact))

    def test_it_can_be_interrupted_and_continued(
        self, product: Product, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for number in range(3):
            add(product, 600 + number)
        configure(settings, (300, 300))
        render, calls = renditions.render, []

        def stopped(*args: Any, **kwargs: Any) -> Any:
            calls.append(1)
            if len(calls) == 2:
                raise KeyboardInterrupt
            return render(*args, **kwargs)

        monkeypatch.setattr(renditions, "render", stopped)
        with pytest.raises(CommandError, match="Run the same command to continue"):
            rebuild_images()
        assert rebuild_images() == ["3 images match the settings; 2 were rebuilt."]
        an_hour_later()
        assert set(pictures.files()) == recorded()

    def test_an_image_deleted_meanwhile_leaves_no_file(
        self, product: Product, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
    ) -> None:
        image = add(product)
        delete_during_rendering(image, monkeypatch, django_capture_on_commit_callbacks)
        assert rebuild.rebuild(image.pk, everything=True) is None
        assert pictures.files() == []


@pytest.mark.thorough
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("store")
def test_several_processes(product: Product, settings: Any) -> None:
    for number in range(12):
        add(product, 600 + number)
    configure(settings, (300, 300))
    assert rebuild_images(processes=2) == ["12 images match the settings; 12 were rebuilt."]
    assert {image.renditions["full"]["width"] for image in ProductImage.objects.all()} == {300}
    an_hour_later()
    assert set(pictures.files()) == recorded()

"""A renamed or moved category: its products are found by the new names, after a task that can be interrupted."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone
from kombu.exceptions import OperationalError
from rest_framework.test import APIClient

from products import categories, tasks
from products.models import Category, Product, Reindex
from products.reads import caching
from products.search import reindex
from tests import factories

# InnoDB's index sees committed rows only.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The rows whose task was sent."""
    ids: list[int] = []
    monkeypatch.setattr(reindex.app, "send_task", lambda name, args, **options: ids.extend(args))
    return ids


@pytest.fixture
def tree(sent: list[int]) -> dict[str, Category]:
    lights = factories.category("Lights")
    floor = factories.category("Floor", parent=lights)
    garden = factories.category("Garden")
    for number in range(7):
        factories.product(f"Arc {number}", category=floor, sku=f"A-{number}")
    factories.product("Gnome", category=garden, sku="G-1")
    return {"lights": lights, "floor": floor, "garden": garden}


def count(api: APIClient, text: str) -> int:
    body: dict[str, Any] = api.get("/products/", {"search": text}).json()
    return 0 if "search_relaxed" in body else int(body["count"])


def run(sent: list[int]) -> None:
    while sent:
        tasks.reindex(sent.pop(0))


def test_a_renamed_category(api: APIClient, staff: APIClient, tree: dict[str, Category], sent: list[int]) -> None:
    changed = Product.objects.values_list("updated_at", flat=True).get(sku="A-0")
    path = f"/categories/{tree['lights'].pk}/"
    assert staff.patch(path, {"name": "Illuminations"}, format="json").status_code == 200
    assert (len(sent), Reindex.objects.count()) == (1, 1)
    assert (count(api, "lights"), count(api, "illumination")) == (7, 0)
    run(sent)
    assert (count(api, "lights"), count(api, "illumination"), count(api, "floor")) == (0, 7, 7)
    assert Reindex.objects.count() == 0
    assert Product.objects.values_list("updated_at", flat=True).get(sku="A-0") == changed


def test_a_moved_category(api: APIClient, tree: dict[str, Category], sent: list[int]) -> None:
    categories.change(category_id=tree["floor"].pk, parent=tree["garden"])
    run(sent)
    assert (count(api, "lights"), count(api, "garden"), count(api, "floor")) == (0, 8, 7)


def test_a_change_of_neither_name_nor_place_enqueues_nothing(tree: dict[str, Category], sent: list[int]) -> None:
    categories.change(category_id=tree["floor"].pk, slug="ground")
    categories.change(category_id=tree["floor"].pk, name="Floor", parent=tree["lights"])
    tree["lights"].save()
    assert (sent, Reindex.objects.count()) == ([], 0)


def test_it_is_saved_in_the_admin(api: APIClient, tree: dict[str, Category], sent: list[int]) -> None:
    lights = Category.objects.get(pk=tree["lights"].pk)
    lights.name = "Illuminations"
    lights.save()
    run(sent)
    assert count(api, "illuminations") == 7


def test_an_interrupted_task_is_continued(
    api: APIClient, tree: dict[str, Category], sent: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reindex, "CHUNK", 2)
    categories.change(category_id=tree["lights"].pk, name="Illuminations")
    [pk] = sent
    refresh, done = reindex.derived.write_slice, []

    def killed(*args: Any) -> int:
        done.append(refresh(*args))
        if len(done) == 2:
            raise SystemExit
        return done[-1]

    monkeypatch.setattr(reindex.derived, "write_slice", killed)
    with pytest.raises(SystemExit):
        tasks.reindex(pk)
    assert count(api, "illuminations") == 4
    tasks.reindex(pk)  # another process: the claim is still valid
    assert count(api, "illuminations") == 4
    assert reindex.sweep() == 0
    Reindex.objects.update(claimed_at=timezone.now() - reindex.LEASE - timedelta(seconds=1))
    Reindex.objects.update(created_at=timezone.now() - timedelta(minutes=2))
    sent.clear()
    assert reindex.sweep() == 1
    run(sent)
    assert (count(api, "illuminations"), count(api, "lights")) == (7, 0)
    assert done == [2, 2, 0, 2, 1]  # the slice that was written and not recorded is not written again


def test_a_long_task_ends_and_another_continues(
    api: APIClient, tree: dict[str, Category], sent: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reindex, "CHUNK", 2)
    monkeypatch.setattr(reindex, "TIME_MAX", -1)
    categories.change(category_id=tree["lights"].pk, name="Illuminations")
    tasks.reindex(sent.pop())
    assert (count(api, "illuminations"), len(sent)) == (2, 1)
    run(sent)
    assert count(api, "illuminations") == 7


def test_a_category_that_is_renamed_again_meanwhile_starts_over(
    api: APIClient, tree: dict[str, Category], sent: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reindex, "CHUNK", 2)
    categories.change(category_id=tree["lights"].pk, name="Illuminations")
    refresh = reindex.derived.write_slice
    names = iter(["Beams"])

    def renames(*args: Any) -> int:
        written = refresh(*args)
        for name in names:
            categories.change(category_id=tree["lights"].pk, name=name)
        return written

    monkeypatch.setattr(reindex.derived, "write_slice", renames)
    run(sent)
    assert [count(api, text) for text in ("lights", "illuminations", "beams")] == [0, 0, 7]
    assert Reindex.objects.count() == 0


def test_a_lost_message_is_sent_again(
    api: APIClient, tree: dict[str, Category], sent: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*args: Any, **options: Any) -> None:
        raise OperationalError

    with monkeypatch.context() as broken:
        broken.setattr(reindex.app, "send_task", unreachable)
        categories.change(category_id=tree["lights"].pk, name="Illuminations")
    assert sent == []
    assert reindex.sweep() == 0  # the first message may still arrive
    Reindex.objects.update(created_at=timezone.now() - reindex.GRACE - timedelta(seconds=1))
    tasks.sweep_reindex()
    run(sent)
    assert count(api, "illuminations") == 7


def test_the_cache_is_invalidated_once_at_the_end(
    api: APIClient, tree: dict[str, Category], sent: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reindex, "CHUNK", 2)
    categories.change(category_id=tree["lights"].pk, name="Illuminations")
    for _ in range(2):  # the second request caches the page
        assert count(api, "illuminations") == 0
    tokens = iter(range(1001, 2000))
    monkeypatch.setattr(caching, "new_token", lambda: next(tokens))
    run(sent)
    monkeypatch.undo()
    assert cache.get(caching.CATALOGUE_TOKEN) == 1001
    assert next(tokens) == 1002
    assert count(api, "illuminations") == 7


def test_a_deleted_category_leaves_nothing_behind(sent: list[int]) -> None:
    empty = factories.category("Empty")
    categories.change(category_id=empty.pk, name="Void")
    categories.delete(category_id=empty.pk)
    run(sent)
    assert Reindex.objects.count() == 0

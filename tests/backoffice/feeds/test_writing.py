"""The sizes of files and steps."""

from pathlib import Path
from typing import Any

import pytest
from rest_framework.test import APIClient

from backoffice.feeds import building, files, rows, sitemap, writing
from backoffice.feeds.models import FeedBuild
from backoffice.feeds.writing import Limits
from tests import factories
from tests.backoffice.feeds.reading import items, pages, picture

pytestmark = pytest.mark.django_db


def create(number: int, **columns: Any) -> None:
    for n in range(number):
        picture(factories.product(f"P{n}", sku=f"P-{n}", **columns))


def served(api: APIClient, limits: Limits) -> tuple[list[int], list[str]]:
    """How many addresses each part has, and the ids of the feed's items."""
    building.make(limits=limits)
    return [len(page) for page in pages(api)], [item["id"] for item in items(api)]


SKUS = [f"P-{n}" for n in range(5)]


@pytest.mark.parametrize(("urls", "parts"), [(1, [1, 1, 1, 1, 1]), (2, [2, 2, 1]), (4, [4, 1]), (5, [5]), (6, [5])])
def test_a_part_has_so_many_addresses(api: APIClient, urls: int, parts: list[int]) -> None:
    create(5)
    assert served(api, Limits(urls=urls)) == (parts, SKUS)


def test_a_part_has_so_many_bytes(api: APIClient, front_end: Path) -> None:
    create(5)
    [row, *_] = next(rows.slices(0)).rows
    size = len(sitemap.HEAD + 2 * sitemap.entry(row) + sitemap.TAIL)
    assert served(api, Limits(part_bytes=size)) == ([2, 2, 1], SKUS)
    sizes = sorted(path.stat().st_size for path in front_end.glob("*sitemap*"))
    assert sizes[1:] == [size, size]


def test_a_piece_of_the_feed_has_so_many_bytes(api: APIClient, front_end: Path, settings: Any) -> None:
    create(5)
    served(api, Limits())
    [whole] = FeedBuild.objects.get().pieces
    FeedBuild.objects.all().delete()
    assert served(api, Limits(piece_bytes=whole // 5 * 2)) == ([5], SKUS)
    build = FeedBuild.objects.get()
    assert (len(build.pieces), sum(build.pieces)) == (3, whole)
    FeedBuild.objects.all().delete()
    assert served(api, Limits(piece_bytes=1)) == ([5], SKUS)  # an item is never cut


def test_a_step_writes_so_many_pieces(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "PIECES_MAX", 2)
    create(5)
    assert served(api, Limits(piece_bytes=1)) == ([2, 2, 1], SKUS)


def test_a_step_reads_so_many_products(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backoffice.feeds.rows.SLICE", 2)
    create(5, is_active=False)
    read: list[int] = []
    build = FeedBuild(token="t", last_product=0)
    step = writing.write(build, Limits(products=3), read.append)
    assert (read, step.is_last, step.part, step.pieces) == ([2, 2], False, None, [])
    build.last_product = step.last_product
    step = writing.write(build, Limits(products=3), read.append)
    assert (read, step.is_last) == ([2, 2, 1], True)


def test_nothing_for_an_empty_catalogue(api: APIClient, front_end: Path) -> None:
    assert served(api, Limits()) == ([], [])
    assert not front_end.exists()

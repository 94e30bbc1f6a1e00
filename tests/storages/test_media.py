"""/media/ serves renditions and nothing else."""

from pathlib import Path
from typing import Any

import pytest
from rest_framework.test import APIClient

from tests import factories
from tests.products.pictures import add, fetch

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def store(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


def test_renditions_are_served_for_long_and_nothing_else_is(api: APIClient) -> None:
    image = add(factories.product())
    full = f"/media/{image.renditions['full']['file']}"
    answer = api.get(full)
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/jpeg")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cache-Control"] == "public, max-age=31536000, immutable"
    assert fetch(api, full, if_none_match=answer["ETag"]).status_code == 304
    assert api.head(full).status_code == 200
    assert api.post(full).status_code == 405
    for other in image.renditions["full"]["others"]:
        assert api.get(f"/media/{other}")["Content-Type"] == "image/webp"
    for guess in (
        image.original,
        image.original + ".part",
        image.renditions["full"]["file"] + ".part",
        image.original.replace(".jpg", "-original.jpg"),
        image.renditions["full"]["file"].replace(".jpg", ".png"),
        "products/",
        "products/../" + image.renditions["full"]["file"],
        "../db.sqlite3",
        "",
    ):
        assert api.get(f"/media/{guess}").status_code == 404, guess


def test_a_part_of_a_rendition(api: APIClient) -> None:
    full = f"/media/{add(factories.product()).renditions['full']['file']}"
    whole = api.get(full).content
    size = len(whole)
    for wanted, start, end in (("0-9", 0, 10), ("10-", 10, size), ("-10", size - 10, size), ("5-99999999", 5, size)):
        answer = fetch(api, full, range=f"bytes={wanted}")
        assert (answer.status_code, answer.content) == (206, whole[start:end])
        assert answer["Content-Range"] == f"bytes {start}-{end - 1}/{size}"
    assert fetch(api, full, range=f"bytes={size}-").status_code == 416
    assert fetch(api, full, range="bytes=-0").status_code == 416
    for ignored in ("bytes=-", "bytes=9-3", "bytes=0-1,4-5", "lines=1-2"):
        assert fetch(api, full, range=ignored).content == whole
    assert fetch(api, full, range="bytes=0-9", if_range='"another"').content == whole

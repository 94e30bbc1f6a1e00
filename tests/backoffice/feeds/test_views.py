"""The sitemap and the feed over HTTP."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.http import http_date
from rest_framework.test import APIClient

from backoffice.feeds import building, views
from backoffice.feeds.models import FeedBuild
from tests import factories
from tests.backoffice.feeds.reading import items, pages, picture
from tests.openapi import DOCUMENT
from tests.queries import queries

pytestmark = pytest.mark.django_db

PATHS = ["/sitemap.xml", "/sitemap-1.xml", "/feeds/google.xml"]


@pytest.fixture
def lamp() -> FeedBuild:
    """A catalogue with one product, whose files are published."""
    picture(factories.product("Lamp", sku="L-1"))
    return building.make()


def body(response: Any) -> bytes:
    whole: bytes = b"".join(response.streaming_content) if response.streaming else response.content
    return whole


def get(client: Any, path: str, **headers: str) -> tuple[Any, bytes]:
    """The response and its whole body: one that is not read still counts as running."""
    response = client.get(path, headers=headers)
    return response, body(response)


def test_what_is_served(api: APIClient) -> None:
    picture(factories.product("赤い靴", sku="R-1", description="Red & <soft>\x0b", brand="Brand"))
    factories.product("No picture")
    picture(factories.product("Free", price=0))
    picture(factories.product("Hidden", is_active=False))
    build = building.make()
    slug = "%E8%B5%A4%E3%81%84%E9%9D%B4"
    assert pages(api) == [[f"https://shop.example/p/{end}" for end in (slug, "no-picture", "free")]]
    [item] = items(api)
    assert (item["id"], item["description"], item["link"]) == ("R-1", "Red & <soft>", f"https://shop.example/p/{slug}")
    assert (build.urls, build.items, build.left_out) == (3, 1, {"picture": 1, "price": 1})


@pytest.mark.parametrize("path", PATHS)
def test_off_or_not_written_yet_is_a_404(api: APIClient, settings: Any, path: str) -> None:
    factories.product("Lamp")
    answer, _ = get(api, path)
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
    building.make()
    assert get(api, path)[0].status_code == 200
    settings.SHOP_PRODUCT_URL = None
    assert api.get(path).status_code == 404
    assert queries(api, path) == 0


@pytest.mark.parametrize("path", ["/sitemap-2.xml", "/sitemap-0.xml", "/sitemap-9999999.xml"])
def test_other_parts_are_a_404(api: APIClient, lamp: FeedBuild, path: str) -> None:
    assert api.get(path).status_code == 404


@pytest.mark.parametrize("path", PATHS)
def test_the_headers(api: APIClient, lamp: FeedBuild, path: str) -> None:
    answer, content = get(api, path, accept="application/json")
    assert answer["Content-Type"] == "application/xml; charset=utf-8"
    assert answer["Cache-Control"] == "public, no-cache"
    assert int(answer["Content-Length"]) == len(content)
    head = api.head(path)
    assert head.status_code == 200
    assert body(head) == b""
    for name in ("Content-Length", "Content-Type", "ETag", "Last-Modified"):
        assert head[name] == answer[name]
    assert api.post(path).status_code == 405
    with CaptureQueriesContext(connection) as captured:
        get(api, path)
    assert len(captured) == 1


@pytest.mark.parametrize("path", PATHS)
def test_conditional_requests(api: APIClient, lamp: FeedBuild, path: str) -> None:
    answer, _ = get(api, path)
    published = lamp.published_at
    assert published
    before = http_date((published - timedelta(seconds=2)).timestamp())
    for headers, status in (
        ({"If-None-Match": answer["ETag"]}, 304),
        ({"If-None-Match": f"W/{answer['ETag']}"}, 304),
        ({"If-None-Match": '"other"'}, 200),
        ({"If-Modified-Since": answer["Last-Modified"]}, 304),
        ({"If-Modified-Since": before}, 200),
        ({"If-Modified-Since": "nonsense"}, 200),
        ({"If-None-Match": '"other"', "If-Modified-Since": answer["Last-Modified"]}, 200),
    ):
        again, content = get(api, path, **headers)
        assert again.status_code == status, headers
        assert (content == b"") is (status == 304)
        assert again["ETag"] == answer["ETag"]
    building.make()
    assert get(api, path, **{"If-None-Match": answer["ETag"]})[0].status_code == 200


@pytest.mark.parametrize("path", PATHS)
def test_query_parameters(api: APIClient, lamp: FeedBuild, path: str) -> None:
    answer = api.get(f"{path}?page=2")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == "unknown_parameter"
    for query in ("utm_source=a", "format=xml"):
        assert get(api, f"{path}?{query}")[0].status_code == 200, query
    assert api.get(f"{path}?format=json").status_code == 406


@pytest.mark.parametrize("path", PATHS)
def test_other_origins_may_read_them(api: APIClient, lamp: FeedBuild, settings: Any, path: str) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://shop.example"]
    answer, _ = get(api, path, origin="https://shop.example")
    assert answer["Access-Control-Allow-Origin"] == "https://shop.example"


def test_a_file_that_is_gone_is_a_503(api: APIClient, lamp: FeedBuild, front_end: Path) -> None:
    for file in front_end.iterdir():
        file.unlink()
    for path in PATHS[1:]:
        answer = api.get(path)
        assert (answer.status_code, answer["Content-Type"]) == (503, "application/problem+json")


def test_few_files_are_read_at_a_time(api: APIClient, lamp: FeedBuild) -> None:
    held = [api.get(PATHS[1]) for _ in range(views.AT_A_TIME)]
    assert api.get(PATHS[2]).status_code == 503
    for answer in held:
        body(answer)
    assert get(api, PATHS[2])[0].status_code == 200


def test_the_former_files_are_read_to_their_end(api: APIClient, lamp: FeedBuild) -> None:
    answer = api.get("/feeds/google.xml")
    factories.product("Chair")
    building.make()
    building.remove_old()
    assert len(body(answer)) == int(answer["Content-Length"])


def test_the_document_describes_them() -> None:
    for path in ("/sitemap.xml", "/sitemap-{part}.xml", "/feeds/google.xml"):
        responses = DOCUMENT["paths"][path]["get"]["responses"]
        assert set(responses["200"]["content"]) == {"application/xml"}
        assert {"304", "404", "503"} <= set(responses)

"""The headers of every response: API-Version, and Content-Security-Policy on pages."""

import re
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from rest_framework.test import APIClient

from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]

PAGES = [
    "/",
    "/nowhere/",
    "/products/",
    "/carts/",
    "/problems/",
    "/problems/insufficient-stock/",
    "/email/confirm/?token=x",
    "/email/confirm/",
    "/password-reset/confirm/?uid=x&token=y",
    "/api-docs/",
    "/admin/",
    "/admin/products/product/add/",
    "/admin/django_celery_beat/periodictask/add/",
    "/media/nothing",
]
# What a policy without 'unsafe-inline' would block.
INLINE = re.compile(r"<style|\sstyle=|\son[a-z]+=|javascript:|<script(?![^>]*(\ssrc=|\stype=.application/json))")


@pytest.fixture
def browser() -> Client:
    client = Client(headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}, raise_request_exception=False)
    client.force_login(factories.user("stella", is_staff=True, is_superuser=True))
    return client


def policy(answer: Any) -> dict[str, str]:
    parts = answer["Content-Security-Policy"].split(";")
    return dict(part.strip().split(" ", 1) for part in parts)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_loads_nothing_from_other_hosts_and_has_no_inline_scripts(browser: Client, path: str) -> None:
    answer = browser.get(path)
    assert answer["Content-Type"].startswith("text/html")
    directives = policy(answer)
    # Swagger UI's stylesheet has its icons as data URLs.
    assert directives.pop("img-src", None) == ("'self' data:" if path == "/api-docs/" else None)
    assert directives == {
        "default-src": "'self'",
        "base-uri": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "object-src": "'none'",
    }
    assert not INLINE.search(answer.content.decode())


def test_only_images_may_be_loaded_from_the_media_host(browser: Client, settings: Any) -> None:
    settings.MEDIA_URL = "https://pictures.example.com/shop/"
    browser.handler = type(browser.handler)()  # the middleware reads its settings once
    directives = policy(browser.get("/admin/"))
    assert directives["img-src"] == "'self' https://pictures.example.com"
    assert directives["default-src"] == "'self'"


def test_error_pages_have_the_content_security_policy(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("the secret query")

    monkeypatch.setattr("orders.admin.OrderAdmin.get_queryset", fail)
    failed = browser.get("/admin/orders/order/")
    refused = browser.post("/admin/orders/order/", b"x" * 1_000_001, content_type="application/json")
    for answer, status in ((failed, 500), (refused, 413)):
        assert answer.status_code == status
        assert policy(answer)["default-src"] == "'self'"
        assert not INLINE.search(answer.content.decode())


def test_djangos_debug_page_has_no_policy(browser: Client, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.DEBUG = True
    monkeypatch.setattr("orders.admin.OrderAdmin.get_queryset", None)
    answer = browser.get("/admin/orders/order/")
    assert "Traceback" in answer.content.decode()
    assert "Content-Security-Policy" not in answer
    assert "Content-Security-Policy" in browser.get("/admin/")


def test_json_has_no_content_security_policy(api: APIClient) -> None:
    for path in ("/", "/products/", "/nowhere/", "/problems/", "/api-schema/"):
        assert "Content-Security-Policy" not in api.get(path)


def test_the_page_of_a_problem_type(browser: Client) -> None:
    page = browser.get("/problems/insufficient-stock", follow=True).content.decode()
    assert "There is not enough in stock" in page
    assert "<code>shortages</code> lists each product" in page
    assert "Lower the quantities, or remove the items, and try again." in page
    assert '<a href="/problems/insufficient-stock/">' in browser.get("/problems/").content.decode()


def test_every_response_has_the_api_version(api: APIClient, browser: Client) -> None:
    document = api.get("/api-schema/?format=json").json()
    assert document["info"]["version"] == settings.API_VERSION
    answers = {
        200: api.get("/problems/"),
        202: api.post("/password-reset/", {"email": "nobody@example.com"}),
        301: api.get("/products"),
        302: api.get("/admin/"),
        304: api.get("/problems/", headers={"If-None-Match": "*"}),
        400: api.post("/register/", b"{", content_type="application/json"),
        401: api.get("/account/"),
        404: api.get("/nowhere/"),
        413: api.post("/register/", b"x" * 1_000_001, content_type="application/json"),
    }
    for status, answer in answers.items():
        assert (answer.status_code, answer["API-Version"]) == (status, settings.API_VERSION)
    assert browser.get("/admin/")["API-Version"] == settings.API_VERSION


def test_a_500_has_the_api_version(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("products.api.views.page", None)
    answer = api.get("/products/")
    assert (answer.status_code, answer["API-Version"]) == (500, settings.API_VERSION)


@pytest.mark.django_db(transaction=True)  # a page that is read in a transaction is not cached
def test_a_page_from_the_cache_names_the_version_that_runs_now(
    api: APIClient, settings: Any, django_assert_num_queries: Any
) -> None:
    factories.product()
    for _ in range(2):
        tag = api.get("/products/")["ETag"]  # cached on the second request
    settings.API_VERSION = "1.0.1"
    with django_assert_num_queries(0):
        cached = [api.get("/products/"), api.get("/products/", headers={"If-None-Match": tag})]
    assert [(answer.status_code, answer["API-Version"]) for answer in cached] == [(200, "1.0.1"), (304, "1.0.1")]

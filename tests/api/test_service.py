"""The root, the documentation and health."""

from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from rest_framework.test import APIClient

from productbackend.api import views

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parent.parent.parent


def test_the_root_lists_the_resources(api: APIClient) -> None:
    links = api.get("/").json()
    assert links["products"] == "http://testserver/products/"
    for link in ("products", "categories", "documentation", "schema", "problems", "health", "facets"):
        assert api.get(links[link]).status_code == 200, link


def test_the_schema_is_openapi_3_1_in_yaml_or_json(api: APIClient) -> None:
    assert api.get("/api-schema/?format=json").json()["openapi"].startswith("3.1")
    assert api.get("/api-schema/?format=yaml").content.startswith(b"openapi: 3.1.")
    answer = api.get("/api-schema/", headers={"Accept": "application/json"})
    assert answer["Content-Type"].startswith("application/json")


def test_a_process_generates_the_schema_once(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """An anonymous flood of requests for it costs no more than a static file."""
    generated = []
    generate = views.SchemaView.generator_class.get_schema

    def counted(*args: Any, **kwargs: Any) -> Any:
        generated.append(1)
        return generate(*args, **kwargs)

    monkeypatch.setattr(views.SchemaView.generator_class, "get_schema", counted)
    views.document.cache_clear()
    views.rendered_document.cache_clear()
    for _ in range(3):
        for query in ("format=yaml", "format=json", "version=2", "lang=de"):
            assert api.get(f"/api-schema/?{query}").status_code == 200
    assert len(generated) == 1


def test_the_schema_is_the_committed_document(api: APIClient, customer: APIClient) -> None:
    committed = (ROOT / "openapi.yml").read_bytes()
    answers = [client.get("/api-schema/") for client in (api, customer)]
    assert [answer.content for answer in answers] == [committed, committed]
    assert answers[0]["Content-Type"] == "application/vnd.oai.openapi; charset=utf-8"
    assert answers[0]["Content-Disposition"] == 'inline; filename="Product Backend.yaml"'


def test_the_committed_document_is_current(tmp_path: Path) -> None:
    made = tmp_path / "openapi.yml"
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(made))
    assert made.read_text() == (ROOT / "openapi.yml").read_text(), "run `make openapi`"


def test_swagger_is_served_from_here(api: APIClient) -> None:
    page = api.get("/api-docs/", headers={"Accept": "text/html"}).content.decode()
    assert "swagger-ui" in page
    assert "https://" not in page


def test_health(api: APIClient) -> None:
    assert api.get("/health/live/").json() == {"status": "ok"}
    answer = api.get("/health/ready/")
    assert answer.json() == {"status": "ok", "database": "ok", "cache": "ok", "broker": "ok"}
    assert answer["Cache-Control"] == "no-store"

"""The root, the documentation and health."""

from pathlib import Path

import pytest
import yaml
from django.core.management import call_command
from rest_framework.test import APIClient

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parent.parent.parent


def test_the_root_links_to_what_follows(api: APIClient) -> None:
    links = api.get("/").json()
    assert links["products"] == "http://testserver/products/"
    for link in ("products", "categories", "documentation", "schema", "problems", "health", "facets"):
        assert api.get(links[link]).status_code == 200, link


def test_the_schema_is_openapi_3_1_in_yaml_or_json(api: APIClient) -> None:
    assert api.get("/api-schema/?format=json").json()["openapi"].startswith("3.1")
    assert yaml.safe_load(api.get("/api-schema/?format=yaml").content)["openapi"].startswith("3.1")
    answer = api.get("/api-schema/", headers={"Accept": "application/json"})
    assert answer["Content-Type"].startswith("application/json")


def test_the_committed_schema_is_the_services_own(tmp_path: Path) -> None:
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

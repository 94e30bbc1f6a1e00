"""Searches over HTTP."""

from typing import Any

from rest_framework.test import APIClient


def rows(api: APIClient, text: str, **parameters: Any) -> list[dict[str, Any]]:
    """The products of the first page that have every word of the text."""
    response = api.get("/products/", {"search": text, **parameters})
    assert response.status_code == 200, response.content
    body = response.json()
    return [] if "search_relaxed" in body else body["results"]


def found(api: APIClient, text: str, **parameters: Any) -> list[str]:
    """Their names."""
    return [row["name"] for row in rows(api, text, **parameters)]


def search(api: APIClient, text: str, **parameters: Any) -> dict[str, Any]:
    """The first page."""
    response = api.get("/products/", {"search": text, **parameters})
    assert response.status_code == 200, response.content
    body: dict[str, Any] = response.json()
    return body


def strict(api: APIClient, text: str, **parameters: Any) -> list[str]:
    """The names of the products that have every word, in alphabetical order."""
    body = search(api, text, **parameters)
    assert "search_relaxed" not in body
    return sorted(row["name"] for row in body["results"])

"""Pages of the catalogue in the cache."""

from rest_framework.test import APIClient


def fill(client: APIClient, *paths: str) -> None:
    """Cache each page, which the second request for it does."""
    for path in paths * 2:
        client.get(path)

"""The index of the search: its triggers on SQLite, and searching without FTS5."""

import pytest
from django.db import connection
from rest_framework.test import APIClient

from products.models import Product
from products.search import index
from tests import factories
from tests.products.search.searching import found

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.embedded  # MySQL maintains its index itself
def test_missing_triggers_of_the_sqlite_index_are_created(api: APIClient) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER products_search_insert")
    factories.product("Lamp")
    assert found(api, "lamp") == []
    index.ensure_search_index("default")
    Product.objects.update(rating=4)  # invalidates the cached empty page
    assert found(api, "lamp") == ["Lamp"]


def test_without_fts5_the_results_are_the_same(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("products.search.query.sqlite_has_fts5", lambda: False)
    for name in ("Red lamp", "Lamp", "Reddish lamps", "東京タワー"):
        factories.product(name)
    assert found(api, "red lamp") == ["Red lamp"]
    assert sorted(found(api, "lamp")) == ["Lamp", "Red lamp", "Reddish lamps"]
    assert found(api, "東京") == ["東京タワー"]

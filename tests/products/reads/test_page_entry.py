"""Entries of the page cache that this code did not write."""

import pickle
from typing import Any

import pytest
from django.core.cache import cache
from django.http import HttpRequest
from rest_framework.test import APIClient

from products.reads import caching, page_cache
from tests import factories
from tests.products.reads.pages import fill
from tests.queries import queries

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("store")]


HEAD = b'[1,2,false,{},"http://testserver",{"ETag":"x"}]'


MALFORMED: list[Any] = [
    pickle.dumps(("1", "2", False, {}, {}, b"")),
    b"",
    b"\n",
    b"{}\n{}",
    b"[1,2]\n{}",
    HEAD.replace(b"1", b'"1"', 1),
    HEAD.replace(b'"ETag":"x"', b""),
    HEAD.replace(b'"x"', b"[]"),
    HEAD.replace(b'"x"', b'"x\\r\\nSet-Cookie: a=b"'),
    HEAD.replace(b"false", b"null"),
    "text",
    [1, 2],
    {"a": 1},
    True,
]


@pytest.mark.parametrize("written", MALFORMED, ids=repr)
def test_a_malformed_entry_is_a_miss(api: APIClient, written: Any) -> None:
    factories.product()
    fill(api, "/products/")
    client = HttpRequest()
    client.META = {"HTTP_HOST": "testserver", "REQUEST_METHOD": "GET"}
    client.method, client.path, client.path_info = "GET", "/products/", "/products/"
    cache_key = page_cache.cache_key_for(client)
    assert cache_key is not None
    for key in (cache_key.key, caching.CATALOGUE_TOKEN, caching.STOCK_TOKEN):
        cache.set(key, written)
        assert api.get("/products/").status_code == 200
        assert queries(api, "/products/") == 0

"""The Authorization header of a request."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from tests import factories
from tests.accounts.pairs import reads
from tests.signing_in import sign_in

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("header", ["Bearer", "Bearer a b", "Bearer broken", "bearer broken", "Bearer é"])
def test_a_broken_header_is_a_401(api: APIClient, header: str, db: Any) -> None:
    api.credentials(HTTP_AUTHORIZATION=header)
    assert api.get("/account/").status_code == 401


def test_bearer_twice_is_reported(api: APIClient, pair: dict[str, str]) -> None:
    api.credentials(HTTP_AUTHORIZATION=f"Bearer Bearer {pair['access']}")
    response = api.get("/account/")
    assert response.status_code == 401
    assert "twice" in response.json()["detail"]


def test_the_scheme_is_accepted_in_any_case(api: APIClient, pair: dict[str, str]) -> None:
    api.credentials(HTTP_AUTHORIZATION=f"bearer {pair['access']}")
    assert api.get("/account/").status_code == 200


def test_authentication_takes_one_query(api: APIClient, django_assert_num_queries: Any) -> None:
    factories.user("carla")
    pair = sign_in(api).json()
    with django_assert_num_queries(1):
        assert reads(pair) == 200

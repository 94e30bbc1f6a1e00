"""Signing in by name or address."""

import time

import pytest
from rest_framework.test import APIClient

from tests import factories
from tests.signing_in import sign_in, with_token

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("name", ["carla", "CARLA", "carla@example.com", "Carla@Example.COM"])
def test_sign_in_with_the_name_or_the_address_in_any_case(api: APIClient, name: str) -> None:
    factories.user("carla")
    response = sign_in(api, name)
    assert response.status_code == 200
    assert set(response.json()) == {"access", "refresh"}
    assert with_token(response.json()["access"]).get("/account/").json()["username"] == "carla"


def test_a_bad_authorization_header_does_not_prevent_signing_in(api: APIClient) -> None:
    factories.user("carla")
    api.credentials(HTTP_AUTHORIZATION="Bearer broken")
    assert sign_in(api).status_code == 200


def test_known_and_unknown_names_get_the_same_response(api: APIClient) -> None:
    factories.user("carla")
    factories.user("gone", is_active=False)
    responses = [sign_in(api, "carla", "wrong"), sign_in(api, "nobody", "wrong"), sign_in(api, "gone")]
    assert [response.status_code for response in responses] == [401, 401, 401]
    assert responses[0].json() == responses[1].json() == responses[2].json()
    assert responses[0].json()["type"] == "/problems/not-authenticated"
    assert responses[0]["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.thorough  # real hashes, many times
@pytest.mark.real_passwords
def test_known_and_unknown_names_take_the_same_time(api: APIClient) -> None:
    factories.user("carla")
    factories.user("gone", is_active=False)
    names = ["carla", "nobody", "gone"]
    times: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(3):
        for name in names:
            began = time.process_time()  # of the processor: other work on the machine does not count
            assert sign_in(api, name, "wrong").status_code == 401
            times[name].append(time.process_time() - began)
    shortest = [min(taken) for taken in times.values()]
    # A lookup alone would take a tenth of a hash, or less.
    assert max(shortest) < 2.5 * min(shortest), times

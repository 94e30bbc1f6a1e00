"""Signing in and out over HTTP."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from rest_framework.test import APIClient

from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.real_passwords]


def sign_in(api: APIClient, name: str = "carla", password: str = factories.PASSWORD) -> Any:
    return api.post("/token/", {"username": name, "password": password})


def with_token(access: str) -> APIClient:
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {access}")
    return client


@pytest.fixture
def pair(api: APIClient) -> dict[str, str]:
    factories.user("carla")
    return sign_in(api).json()


@pytest.mark.parametrize("name", ["carla", "CARLA", "carla@example.com", "Carla@Example.COM"])
def test_sign_in_with_the_name_or_the_address_in_any_case(api: APIClient, name: str) -> None:
    factories.user("carla")
    answer = sign_in(api, name)
    assert answer.status_code == 200
    assert set(answer.json()) == {"access", "refresh"}
    assert with_token(answer.json()["access"]).get("/account/").json()["username"] == "carla"


def test_a_bad_authorization_header_does_not_keep_anyone_from_signing_in(api: APIClient) -> None:
    factories.user("carla")
    api.credentials(HTTP_AUTHORIZATION="Bearer broken")
    assert sign_in(api).status_code == 200


def test_known_and_unknown_names_get_the_same_answer(api: APIClient) -> None:
    factories.user("carla")
    factories.user("gone", is_active=False)
    answers = [sign_in(api, "carla", "wrong"), sign_in(api, "nobody", "wrong"), sign_in(api, "gone")]
    assert [answer.status_code for answer in answers] == [401, 401, 401]
    assert answers[0].json() == answers[1].json() == answers[2].json()
    assert answers[0].json()["type"] == "/problems/not-authenticated"
    assert answers[0]["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("body", [[], None, "text", {}, {"username": ["carla"], "password": {}}, {"username": "\x00"}])
@pytest.mark.parametrize("path", ["/token/", "/token/refresh/", "/token/revoke/", "/register/", "/password-reset/"])
def test_bodies_of_another_shape_are_a_400(api: APIClient, path: str, body: Any) -> None:
    assert api.post(path, body, format="json").status_code == 400


def test_a_refresh_token_works_once(api: APIClient, pair: dict[str, str]) -> None:
    answer = api.post("/token/refresh/", {"refresh": pair["refresh"]})
    assert answer.status_code == 200
    assert answer.json()["refresh"] != pair["refresh"]
    assert with_token(answer.json()["access"]).get("/account/").status_code == 200
    again = api.post("/token/refresh/", {"refresh": pair["refresh"]})
    assert again.status_code == 401
    assert again.json()["type"] == "/problems/not-authenticated"
    assert api.post("/token/refresh/", {"refresh": answer.json()["refresh"]}).status_code == 200


def test_an_access_token_is_no_refresh_token_and_the_other_way_round(api: APIClient, pair: dict[str, str]) -> None:
    assert api.post("/token/refresh/", {"refresh": pair["access"]}).status_code == 401
    assert with_token(pair["refresh"]).get("/account/").status_code == 401


def test_signing_out_here_leaves_other_devices(api: APIClient, pair: dict[str, str]) -> None:
    other = sign_in(api).json()
    assert api.post("/token/revoke/", {"refresh": pair["refresh"]}).status_code == 204
    assert api.post("/token/refresh/", {"refresh": pair["refresh"]}).status_code == 401
    assert api.post("/token/revoke/", {"refresh": pair["refresh"]}).status_code == 401
    assert api.post("/token/refresh/", {"refresh": other["refresh"]}).status_code == 200


def everywhere(client: APIClient, user: Any) -> int:
    return client.post("/token/revoke-all/").status_code


def password(client: APIClient, user: Any) -> int:
    body = {"old_password": factories.PASSWORD, "new_password": "quite another secret"}
    return client.post("/account/password/", body).status_code


def password_by_staff(client: APIClient, user: Any) -> int:
    user.set_password("quite another secret")
    user.save()
    return 204


def deactivation(client: APIClient, user: Any) -> int:
    get_user_model().objects.filter(pk=user.pk).update(is_active=False)
    return 204


def closing(client: APIClient, user: Any) -> int:
    return client.delete("/account/").status_code


@pytest.mark.parametrize("event", [everywhere, password, password_by_staff, deactivation, closing])
def test_events_that_end_every_token_at_once(api: APIClient, event: Any) -> None:
    user = factories.user("carla")
    pairs = [sign_in(api).json(), sign_in(api).json()]
    assert event(with_token(pairs[0]["access"]), user) == 204
    for pair in pairs:
        answer = with_token(pair["access"]).get("/account/")
        assert answer.status_code == 401
        assert "WWW-Authenticate" in answer
        assert api.post("/token/refresh/", {"refresh": pair["refresh"]}).status_code == 401
        assert api.post("/token/revoke/", {"refresh": pair["refresh"]}).status_code == 401


def test_signing_out_everywhere_ends_sessions_too(api: APIClient) -> None:
    factories.user("stella", is_staff=True)
    browser = APIClient()
    assert browser.login(username="stella", password=factories.PASSWORD)
    assert browser.get("/account/").status_code == 200
    with_token(sign_in(api, "stella").json()["access"]).post("/token/revoke-all/")
    assert browser.get("/account/").status_code == 401


@pytest.mark.parametrize("header", ["Bearer", "Bearer a b", "Bearer broken", "bearer broken", "Bearer é"])
def test_a_broken_header_is_a_401(api: APIClient, header: str, db: Any) -> None:
    api.credentials(HTTP_AUTHORIZATION=header)
    assert api.get("/account/").status_code == 401


def test_bearer_twice_is_told(api: APIClient, pair: dict[str, str]) -> None:
    api.credentials(HTTP_AUTHORIZATION=f"Bearer Bearer {pair['access']}")
    answer = api.get("/account/")
    assert answer.status_code == 401
    assert "twice" in answer.json()["detail"]


def test_the_scheme_is_taken_in_any_case(api: APIClient, pair: dict[str, str]) -> None:
    api.credentials(HTTP_AUTHORIZATION=f"bearer {pair['access']}")
    assert api.get("/account/").status_code == 200

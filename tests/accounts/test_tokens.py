"""Signing in and out over HTTP."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from rest_framework.test import APIClient

from tests import factories
from tests.signing_in import sign_in, with_token

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("body", [[], None, "text", {}, {"username": ["carla"], "password": {}}, {"username": "\x00"}])
@pytest.mark.parametrize("path", ["/token/", "/token/refresh/", "/token/revoke/", "/register/", "/password-reset/"])
def test_malformed_bodies_are_a_400(api: APIClient, path: str, body: Any) -> None:
    assert api.post(path, body, format="json").status_code == 400


def test_a_refresh_token_works_once(api: APIClient, pair: dict[str, str]) -> None:
    response = api.post("/token/refresh/", {"refresh": pair["refresh"]})
    assert response.status_code == 200
    assert response.json()["refresh"] != pair["refresh"]
    assert with_token(response.json()["access"]).get("/account/").status_code == 200
    again = api.post("/token/refresh/", {"refresh": pair["refresh"]})
    assert again.status_code == 401
    assert again.json()["type"] == "/problems/not-authenticated"
    assert api.post("/token/refresh/", {"refresh": response.json()["refresh"]}).status_code == 200


def test_access_and_refresh_tokens_are_not_interchangeable(api: APIClient, pair: dict[str, str]) -> None:
    assert api.post("/token/refresh/", {"refresh": pair["access"]}).status_code == 401
    assert with_token(pair["refresh"]).get("/account/").status_code == 401


def test_signing_out_on_one_device_does_not_affect_others(api: APIClient, pair: dict[str, str]) -> None:
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
    return client.delete("/account/", {"password": factories.PASSWORD}).status_code


@pytest.mark.parametrize("event", [everywhere, password, password_by_staff, deactivation, closing])
def test_events_that_revoke_every_token(api: APIClient, event: Any) -> None:
    user = factories.user("carla")
    pairs = [sign_in(api).json(), sign_in(api).json()]
    assert event(with_token(pairs[0]["access"]), user) == 204
    for pair in pairs:
        response = with_token(pair["access"]).get("/account/")
        assert response.status_code == 401
        assert "WWW-Authenticate" in response
        assert api.post("/token/refresh/", {"refresh": pair["refresh"]}).status_code == 401
        assert api.post("/token/revoke/", {"refresh": pair["refresh"]}).status_code == 401


def test_signing_out_everywhere_ends_sessions_too(api: APIClient) -> None:
    factories.user("stella", is_staff=True)
    browser = APIClient()
    assert browser.login(username="stella", password=factories.PASSWORD)
    assert browser.get("/account/").status_code == 200
    with_token(sign_in(api, "stella").json()["access"]).post("/token/revoke-all/")
    assert browser.get("/account/").status_code == 401

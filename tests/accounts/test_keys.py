"""Rotation of the keys that sign tokens."""

from datetime import timedelta
from typing import Any

import jwt
import pytest
import time_machine
from django.test import Client
from rest_framework.test import APIClient

from accounts.keys import key_id, keyring
from tests import factories
from tests.accounts.pairs import of_an_earlier_release, reads, refresh
from tests.passwords import OTHER_KEY
from tests.signing_in import sign_in

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("is_old", [False, True])
def test_signing_keys_rotate_without_signing_out(api: APIClient, settings: Any, is_old: bool) -> None:
    user = factories.user("carla", is_staff=True)
    browser = Client()
    browser.force_login(user)
    pair = sign_in(api).json()
    if is_old:
        pair = {name: of_an_earlier_release(token) for name, token in pair.items()}
    former, former_jwt = settings.SECRET_KEY, settings.SIMPLE_JWT["SIGNING_KEY"]
    settings.SECRET_KEY = OTHER_KEY
    settings.SIMPLE_JWT = {**settings.SIMPLE_JWT, "SIGNING_KEY": OTHER_KEY[::-1]}
    assert reads(pair) == 401
    settings.SECRET_KEY_FALLBACKS, settings.JWT_SIGNING_KEY_FALLBACKS = [former], [former_jwt]
    assert reads(pair) == 200
    newer = refresh(api, pair).json()
    assert browser.get("/admin/").status_code == 200
    settings.SECRET_KEY_FALLBACKS, settings.JWT_SIGNING_KEY_FALLBACKS = [], []
    assert [reads(pair), reads(newer)] == [401, 200]


def test_tokens_of_an_unknown_key_are_rejected(api: APIClient, settings: Any) -> None:
    factories.user("carla")
    claims = jwt.decode(sign_in(api).json()["access"], options={"verify_signature": False})
    own = key_id(settings.SIMPLE_JWT["SIGNING_KEY"])
    for kid in (own, key_id(OTHER_KEY), "", None):
        for algorithm, key in (("HS256", OTHER_KEY), ("none", None)):
            token = jwt.encode(claims, key or "", algorithm, headers={} if kid is None else {"kid": kid})
            assert reads({"access": token}) == 401


def test_a_token_that_was_verified_before_expires(api: APIClient, settings: Any) -> None:
    factories.user("carla")
    with time_machine.travel(0, tick=False) as clock:
        pair = sign_in(api).json()
        clock.shift(settings.SIMPLE_JWT["ACCESS_TOKEN_LIFETIME"] - timedelta(seconds=1))
        assert [reads(pair), reads(pair)] == [200, 200]
        clock.shift(1)
        assert reads(pair) == 401


def test_a_payload_that_is_changed_is_not_that_of_the_next_request(api: APIClient) -> None:
    factories.user("carla")
    token = sign_in(api).json()["access"]
    payload = keyring.decode(token)
    changed = keyring.decode(token)
    changed.clear()
    assert keyring.decode(token) == payload != changed


def test_a_rejected_token_is_rejected_again(api: APIClient) -> None:
    factories.user("carla")
    header, payload, signature = sign_in(api).json()["access"].split(".")
    forged = {"access": ".".join([header, payload, signature[::-1]])}
    assert [reads(forged), reads(forged)] == [401, 401]

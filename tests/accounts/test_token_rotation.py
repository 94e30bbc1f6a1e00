"""Sign-ins and their tokens: reuse detection, absolute lifetime, and rotation of signing keys."""

from datetime import timedelta
from typing import Any

import jwt
import pytest
import time_machine
from django.conf import settings as shop
from django.contrib.auth.hashers import make_password
from django.utils import timezone
from rest_framework.test import APIClient
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from accounts import tokens
from accounts.keys import key_id
from tests import factories
from tests.accounts.pairs import of_an_earlier_release, reads, refresh
from tests.signing_in import sign_in

pytestmark = pytest.mark.django_db


def test_reuse_of_a_refresh_token_ends_only_its_sign_in(api: APIClient) -> None:
    factories.user("carla")
    with time_machine.travel(timezone.now(), tick=False) as clock:
        stolen, other = sign_in(api).json(), sign_in(api).json()
        second = refresh(api, stolen).json()
        third = refresh(api, second).json()
        clock.shift(timedelta(seconds=11))
        assert refresh(api, stolen).status_code == 401
        assert [reads(pair) for pair in (stolen, second, third, other)] == [401, 401, 401, 200]
        assert refresh(api, third).status_code == 401
        assert api.post("/token/revoke/", {"refresh": third["refresh"]}).status_code == 401
        assert refresh(api, other).status_code == 200


def test_reuse_within_the_grace_time_ends_nothing(api: APIClient) -> None:
    factories.user("carla")
    with time_machine.travel(timezone.now(), tick=False) as clock:
        first = sign_in(api).json()
        second = refresh(api, first).json()
        third = refresh(api, second).json()
        clock.shift(timedelta(seconds=9))
        for used in (first, second, first):
            response = refresh(api, used)
            assert (response.status_code, response.json()["type"]) == (401, "/problems/not-authenticated")
        assert reads(third) == 200
        assert refresh(api, third).status_code == 200


def test_signing_out_on_one_device_revokes_its_access_token(api: APIClient) -> None:
    factories.user("carla")
    here, there = sign_in(api).json(), sign_in(api).json()
    assert api.post("/token/revoke/", {"refresh": here["refresh"]}).status_code == 204
    assert [reads(here), reads(there)] == [401, 200]


def test_a_sign_in_has_an_absolute_lifetime(api: APIClient, settings: Any) -> None:
    settings.REFRESH_ABSOLUTE_LIFETIME = 2
    factories.user("carla")
    began = timezone.now()
    with time_machine.travel(began, tick=False) as clock:
        pair = sign_in(api).json()
        for hours in (20, 40, 47):
            clock.move_to(began + timedelta(hours=hours))
            pair = refresh(api, pair).json()
        clock.move_to(began + timedelta(hours=47, minutes=58))
        pair = refresh(api, pair).json()
        assert reads(pair) == 200
        clock.move_to(began + timedelta(hours=48, seconds=1))
        assert reads(pair) == 401
        assert refresh(api, pair).status_code == 401


def test_blacklisted_tokens_are_flushed_after_they_expire(api: APIClient) -> None:
    factories.user("carla")
    pair = sign_in(api).json()
    api.post("/token/revoke/", {"refresh": pair["refresh"]})
    assert OutstandingToken.objects.count() == 2
    with time_machine.travel(timezone.now() + timedelta(hours=23)):
        tokens.flush_expired()
        assert OutstandingToken.objects.count() == 2
    with time_machine.travel(timezone.now() + timedelta(days=2)):
        tokens.flush_expired()
    assert not OutstandingToken.objects.exists()


def test_tokens_of_an_earlier_release_stay_valid(api: APIClient) -> None:
    factories.user("carla")
    pair = {name: of_an_earlier_release(token) for name, token in sign_in(api).json().items()}
    assert reads(pair) == 200
    newer = refresh(api, pair).json()
    assert jwt.get_unverified_header(newer["access"])["kid"] == key_id(shop.SIMPLE_JWT["SIGNING_KEY"])
    assert refresh(api, pair).status_code == 401
    assert refresh(api, newer).status_code == 200


def test_another_password_hash_changes_the_digest(api: APIClient) -> None:
    user = factories.user("carla")
    pair = sign_in(api).json()
    user.password = make_password("x")
    user.save(update_fields=["password"])
    assert reads(pair) == 401

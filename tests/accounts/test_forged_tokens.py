"""Attacks: forged tokens, hundreds of password guesses, and timing."""

import base64
import json
import time
from datetime import timedelta
from typing import Any

import jwt
import pytest
import time_machine
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import tokens
from tests import factories
from tests.passwords import OTHER_KEY
from tests.signing_in import with_token

pytestmark = pytest.mark.django_db


def segment(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def claims(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})


def expired(token: str, other: str, settings: Any) -> str:
    past = {**claims(token), "exp": int(time.time()) - 1}
    return jwt.encode(past, settings.SIMPLE_JWT["SIGNING_KEY"], "HS256")


def unsigned(token: str, other: str, settings: Any) -> str:
    return f"{segment({'alg': 'none', 'typ': 'JWT'})}.{token.split('.')[1]}."


def unsigned_with_its_old_signature(token: str, other: str, settings: Any) -> str:
    _, payload, signature = token.split(".")
    return f"{segment({'alg': 'None', 'typ': 'JWT'})}.{payload}.{signature}"


def with_another_key(token: str, other: str, settings: Any) -> str:
    return jwt.encode(claims(token), OTHER_KEY, "HS256")


def signed_with_secret_key(token: str, other: str, settings: Any) -> str:
    return jwt.encode(claims(token), settings.SECRET_KEY, "HS256")


def with_another_algorithm(token: str, other: str, settings: Any) -> str:
    return jwt.encode(claims(token), settings.SIMPLE_JWT["SIGNING_KEY"], "HS512")


def with_another_users_id(token: str, other: str, settings: Any) -> str:
    header, _, signature = token.split(".")
    return f"{header}.{segment({**claims(token), 'user_id': claims(other)['user_id']})}.{signature}"


def with_another_users_signature(token: str, other: str, settings: Any) -> str:
    return f"{token.rpartition('.')[0]}.{other.rpartition('.')[2]}"


def well_signed_for_another_user(token: str, other: str, settings: Any) -> str:
    """What an attacker could sign with the key but without the password hash: the digest is another user's."""
    mixed = {**claims(token), "user_id": claims(other)["user_id"]}
    return jwt.encode(mixed, settings.SIMPLE_JWT["SIGNING_KEY"], "HS256")


def of_no_account(token: str, other: str, settings: Any) -> str:
    return jwt.encode({**claims(token), "user_id": "999999"}, settings.SIMPLE_JWT["SIGNING_KEY"], "HS256")


def without_a_digest(token: str, other: str, settings: Any) -> str:
    bare = {name: value for name, value in claims(token).items() if name != "version"}
    return jwt.encode(bare, settings.SIMPLE_JWT["SIGNING_KEY"], "HS256")


FORGERIES = [
    expired,
    unsigned,
    unsigned_with_its_old_signature,
    with_another_key,
    signed_with_secret_key,
    with_another_algorithm,
    with_another_users_id,
    with_another_users_signature,
    well_signed_for_another_user,
    of_no_account,
    without_a_digest,
]


@pytest.mark.parametrize("forge", FORGERIES)
def test_forged_tokens_are_rejected(api: APIClient, settings: Any, forge: Any) -> None:
    victim = factories.user("otto")
    victim.password = "!a hash of his own"  # two users have different hashes
    victim.save(update_fields=["password"])
    carla, otto = tokens.issue(factories.user("carla")), tokens.issue(victim)
    access = forge(carla.access, otto.access, settings)
    for path in ("/account/", "/orders/", "/products/"):
        response = with_token(access).get(path)
        assert (response.status_code, response.json()["type"]) == (401, "/problems/not-authenticated")
    refresh = forge(carla.refresh, otto.refresh, settings)
    for path in ("/token/refresh/", "/token/revoke/"):
        response = api.post(path, {"refresh": refresh})
        assert (response.status_code, response.json()["type"]) == (401, "/problems/not-authenticated")
    for pair in (carla, otto):  # and both pairs still work
        assert with_token(pair.access).get("/account/").status_code == 200
        assert api.post("/token/refresh/", {"refresh": pair.refresh}).status_code == 200


def test_tokens_expire_by_the_settings(api: APIClient, settings: Any) -> None:
    pair = tokens.issue(factories.user("carla"))
    client = with_token(pair.access)
    with time_machine.travel(timezone.now() + timedelta(minutes=4, seconds=50)):
        assert client.get("/account/").status_code == 200
    with time_machine.travel(timezone.now() + timedelta(minutes=5, seconds=1)):
        assert client.get("/account/").status_code == 401
    with time_machine.travel(timezone.now() + timedelta(days=1, seconds=1)):
        assert api.post("/token/refresh/", {"refresh": pair.refresh}).status_code == 401

"""What attackers try: forged tokens, guesses by the hundred, and a look at the clock."""

import base64
import json
import time
from collections import Counter
from datetime import timedelta
from statistics import median
from typing import Any

import jwt
import pytest
import time_machine
from django.contrib.auth.tokens import default_token_generator
from django.core import signing
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from rest_framework.test import APIClient

from accounts import addresses, tokens
from accounts.models import User
from tests import factories

pytestmark = pytest.mark.django_db

OTHER_KEY = "another key, as long as ours is but not known to the shop at all"
NEW = "quite another secret"


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


def of_another_key(token: str, other: str, settings: Any) -> str:
    return jwt.encode(claims(token), OTHER_KEY, "HS256")


def of_the_key_of_sessions(token: str, other: str, settings: Any) -> str:
    return jwt.encode(claims(token), settings.SECRET_KEY, "HS256")


def of_another_algorithm(token: str, other: str, settings: Any) -> str:
    return jwt.encode(claims(token), settings.SIMPLE_JWT["SIGNING_KEY"], "HS512")


def with_another_users_id(token: str, other: str, settings: Any) -> str:
    header, _, signature = token.split(".")
    return f"{header}.{segment({**claims(token), 'user_id': claims(other)['user_id']})}.{signature}"


def with_another_users_signature(token: str, other: str, settings: Any) -> str:
    return f"{token.rpartition('.')[0]}.{other.rpartition('.')[2]}"


def well_signed_for_another_user(token: str, other: str, settings: Any) -> str:
    """What one could make who learnt the key but no password hash: the stamp is another's."""
    mixed = {**claims(token), "user_id": claims(other)["user_id"]}
    return jwt.encode(mixed, settings.SIMPLE_JWT["SIGNING_KEY"], "HS256")


def of_nobody(token: str, other: str, settings: Any) -> str:
    return jwt.encode({**claims(token), "user_id": "999999"}, settings.SIMPLE_JWT["SIGNING_KEY"], "HS256")


def without_a_stamp(token: str, other: str, settings: Any) -> str:
    bare = {name: value for name, value in claims(token).items() if name != "version"}
    return jwt.encode(bare, settings.SIMPLE_JWT["SIGNING_KEY"], "HS256")


FORGERIES = [
    expired,
    unsigned,
    unsigned_with_its_old_signature,
    of_another_key,
    of_the_key_of_sessions,
    of_another_algorithm,
    with_another_users_id,
    with_another_users_signature,
    well_signed_for_another_user,
    of_nobody,
    without_a_stamp,
]


@pytest.mark.parametrize("forge", FORGERIES)
def test_no_forged_token_opens_anything(api: APIClient, settings: Any, forge: Any) -> None:
    victim = factories.user("otto")
    victim.password = "!a hash of his own"  # as any two users have
    victim.save(update_fields=["password"])
    carla, otto = tokens.issue(factories.user("carla")), tokens.issue(victim)
    access = forge(carla.access, otto.access, settings)
    for path in ("/account/", "/orders/", "/products/"):
        answer = api.get(path, headers={"Authorization": f"Bearer {access}"})
        assert (answer.status_code, answer.json()["type"]) == (401, "/problems/not-authenticated")
    refresh = forge(carla.refresh, otto.refresh, settings)
    for path in ("/token/refresh/", "/token/revoke/"):
        answer = api.post(path, {"refresh": refresh})
        assert (answer.status_code, answer.json()["type"]) == (401, "/problems/not-authenticated")
    for pair in (carla, otto):  # and both are what they were
        assert api.get("/account/", headers={"Authorization": f"Bearer {pair.access}"}).status_code == 200
        assert api.post("/token/refresh/", {"refresh": pair.refresh}).status_code == 200


def test_tokens_end_when_the_settings_say(api: APIClient, settings: Any) -> None:
    pair = tokens.issue(factories.user("carla"))
    headers = {"Authorization": f"Bearer {pair.access}"}
    with time_machine.travel(timezone.now() + timedelta(minutes=4, seconds=50)):
        assert api.get("/account/", headers=headers).status_code == 200
    with time_machine.travel(timezone.now() + timedelta(minutes=5, seconds=1)):
        assert api.get("/account/", headers=headers).status_code == 401
    with time_machine.travel(timezone.now() + timedelta(days=1, seconds=1)):
        assert api.post("/token/refresh/", {"refresh": pair.refresh}).status_code == 401


def test_no_forged_link_sets_a_password(api: APIClient, settings: Any) -> None:
    carla, otto = factories.user("carla"), factories.user("otto")
    uid = urlsafe_base64_encode(force_bytes(carla.pk))
    token = default_token_generator.make_token(carla)
    stamp, _, digest = token.partition("-")
    forged = [
        f"{stamp}-{'0' * len(digest)}",
        f"zzzzzz-{digest}",
        default_token_generator.make_token(otto),
        addresses.make_token(carla, carla.email),
        tokens.issue(carla).access,
    ]
    settings.SECRET_KEY, own = OTHER_KEY, settings.SECRET_KEY
    generator = type(default_token_generator)()
    forged.append(generator.make_token(carla))
    settings.SECRET_KEY = own
    for guess in forged:
        answer = api.post("/password-reset/confirm/", {"uid": uid, "token": guess[:200], "new_password": NEW})
        assert (answer.status_code, answer.json()["type"]) == (400, "/problems/invalid-token"), guess
    assert User.objects.get(pk=carla.pk).password == carla.password
    assert api.post("/password-reset/confirm/", {"uid": uid, "token": token, "new_password": NEW}).status_code == 204


def test_no_forged_link_confirms_an_address(api: APIClient) -> None:
    carla, otto = factories.user("carla"), factories.user("otto")
    own, ottos = (addresses.make_token(user, user.email) for user in (carla, otto))
    payload, rest = own.split(":", 1)
    forged = [
        f"{ottos.split(':', 1)[0]}:{rest}",
        f"{payload}:{rest[:-1]}{'A' if rest[-1] != 'A' else 'B'}",
        signing.dumps([carla.pk, carla.email], salt="another purpose"),
        signing.dumps([carla.pk, carla.email], key=OTHER_KEY, salt=addresses.SALT),
        addresses.make_token(carla, otto.email),  # rightly signed, for an address that was never asked for
        addresses.make_token(otto, carla.email),
        default_token_generator.make_token(carla),
    ]
    for guess in forged:
        answer = api.post("/email/confirm/", {"token": guess})
        assert (answer.status_code, answer.json()["type"]) == (400, "/problems/invalid-token"), guess
    assert not User.objects.filter(email_verified=True).exists()
    assert api.post("/email/confirm/", {"token": own}).status_code == 204


GUESSES = 300  # tests/services/test_guesses.py has the ten thousand
ALLOWED = 3


def rate(settings: Any, scope: str, value: str) -> None:
    rates = {**settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"], scope: value}
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "DEFAULT_THROTTLE_RATES": rates}


@pytest.mark.parametrize("spread", ["one address", "many addresses"])
def test_hundreds_of_guesses_are_three(api: APIClient, settings: Any, spread: str) -> None:
    rate(settings, "token", f"{ALLOWED}/hour")
    factories.user("carla")
    statuses: Counter[int] = Counter()
    for number in range(GUESSES):
        source = f"10.0.{number // 250}.{number % 250}" if spread == "many addresses" else "10.0.0.1"
        body = {"username": "carla", "password": f"guess {number}"}
        statuses[api.post("/token/", body, REMOTE_ADDR=source).status_code] += 1
    assert statuses == {401: ALLOWED, 429: GUESSES - ALLOWED}
    # Not even the right one is taken now: the answer would tell that it is right.
    right = {"username": "carla", "password": factories.PASSWORD}
    assert api.post("/token/", right, REMOTE_ADDR="10.1.1.1").status_code == 429


def test_guessing_names_by_registering_is_throttled(api: APIClient, settings: Any) -> None:
    rate(settings, "register", f"{ALLOWED}/hour")
    factories.user("carla")
    answers = [api.post("/register/", {"username": f"name{number}"}).status_code for number in range(ALLOWED + 5)]
    assert answers == [400] * ALLOWED + [429] * 5


@pytest.mark.real_passwords
def test_a_known_name_takes_as_long_as_an_unknown(api: APIClient) -> None:
    factories.user("carla")
    factories.user("gone", is_active=False)
    names = ["carla", "nobody", "gone"]
    times: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(5):
        for name in names:  # by turns: whatever else the machine does slows all of them
            began = time.perf_counter()
            assert api.post("/token/", {"username": name, "password": "wrong"}).status_code == 401
            times[name].append(time.perf_counter() - began)
    medians = [median(taken) for taken in times.values()]
    # A lookup alone would take a tenth of a hash, or less.
    assert max(medians) < 2.5 * min(medians), times


def test_asking_for_a_reset_takes_as_long_for_known_as_for_unknown(api: APIClient) -> None:
    factories.user("carla")
    times: dict[str, list[float]] = {"carla": [], "nobody": []}
    for _ in range(25):
        for name, taken in times.items():
            began = time.perf_counter()
            assert api.post("/password-reset/", {"email": f"{name}@example.com"}).status_code == 202
            taken.append(time.perf_counter() - began)
    known, unknown = (median(taken) for taken in times.values())
    assert max(known, unknown) < 2.5 * min(known, unknown)

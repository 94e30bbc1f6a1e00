"""What the second factor costs where nobody has one, and sessions that may not continue."""

from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests import factories
from tests.accounts.phones import CODE, LOGIN, PAGE, phone_of, signed_in, typed_password
from tests.queries import queries

pytestmark = pytest.mark.django_db

PAGES = ["/admin/", "/admin/accounts/user/", "/account/", "/products/", "/health/live/"]


def log_in() -> tuple[Client, list[str]]:
    """A client that signed in, and the statements of its log-in."""
    client = Client()
    with CaptureQueriesContext(connection) as captured:
        client.post(LOGIN, {"username": "stella", "password": factories.PASSWORD})
    return client, [query["sql"] for query in captured.captured_queries]


@pytest.mark.parametrize("path", PAGES)
def test_no_page_costs_a_query_more_without_a_second_factor(settings: Any, path: str) -> None:
    factories.user("stella", is_staff=True, is_superuser=True)
    counted = {}
    for mode in ("off", "optional"):
        settings.STAFF_TWO_FACTOR = mode
        client, _ = log_in()
        client.get(path)  # caches
        counted[mode] = queries(client, path)
    assert counted["optional"] == counted["off"]


def test_the_log_in_costs_one_query_more(settings: Any) -> None:
    factories.user("stella", is_staff=True, is_superuser=True)
    log_in()  # the first one records the network
    counted = {}
    for mode in ("off", "optional"):
        settings.STAFF_TWO_FACTOR = mode
        _, statements = log_in()
        counted[mode] = len(statements)
        assert any("otp_totp_totpdevice" in sql for sql in statements) == (mode == "optional")
    assert counted["optional"] == counted["off"] + 1


def test_a_planted_session_does_not_continue_as_the_user() -> None:
    """Whoever knows the cookie that a browser had before the password must not share the session after it."""
    stella = factories.user("stella", is_staff=True)
    thief = typed_password("stella")
    planted = str(thief.session.session_key)
    phone = phone_of(stella)
    victim = Client()
    victim.cookies["sessionid"] = planted
    assert victim.post(LOGIN, {"username": "stella", "password": factories.PASSWORD})["Location"] == CODE
    assert victim.session.session_key != planted
    assert not Session.objects.filter(session_key=planted).exists()
    before = victim.session.session_key
    assert victim.post(CODE, {"code": phone.code()}).status_code == 302
    assert victim.session.session_key != before


def test_a_session_of_somebody_else_does_not_continue(settings: Any) -> None:
    otto, stella = (factories.user(name, is_staff=True, is_superuser=True) for name in ("otto", "stella"))
    client = typed_password("otto")
    assert client.get("/admin/").status_code == 200
    phone = phone_of(stella)
    client.post(LOGIN, {"username": "stella", "password": factories.PASSWORD})
    assert client.get("/admin/").status_code == 302  # neither otto nor stella yet
    client.post(CODE, {"code": phone.code()})
    assert client.get("/account/").json()["username"] == "stella"
    assert otto.pk != stella.pk


def test_a_former_member_of_staff_does_not_finish_the_log_in() -> None:
    stella = factories.user("stella", is_staff=True)
    phone = phone_of(stella)
    client = typed_password()
    stella.is_staff = False
    stella.save(update_fields=["is_staff"])
    assert client.post(CODE, {"code": phone.code()})["Location"] == LOGIN
    assert client.get(PAGE)["Location"] == LOGIN


def test_a_changed_password_keeps_the_session_and_its_second_factor(settings: Any) -> None:
    settings.STAFF_TWO_FACTOR = "required"
    phone = phone_of(factories.user("stella", is_staff=True, is_superuser=True))
    client = signed_in(phone)
    new = "quite another secret"
    body = {"old_password": factories.PASSWORD, "new_password1": new, "new_password2": new}
    assert client.post("/admin/password_change/", body).status_code == 302
    assert client.get("/admin/").status_code == 200

"""The second factor by HTTP: setting it up, the log-in's second step, recovery codes, turning it off."""

import base64
import html
import logging
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts import two_factor
from tests import factories
from tests.accounts.phones import CODE, LOGIN, PAGE, Phone, phone_of, signed_in, typed_password
from tests.mail import deliver
from tests.passwords import NEW_PASSWORD
from tests.signing_in import client_of

pytestmark = pytest.mark.django_db

PASSWORD = factories.PASSWORD


@pytest.fixture
def stella() -> Any:
    return factories.user("stella", is_staff=True, is_superuser=True)


@pytest.fixture
def later() -> Iterator[Any]:
    """Return a function that moves the clock forward by minutes: a code of then is a new one."""
    with time_machine.travel(timezone.now()) as traveller:
        yield lambda minutes: traveller.shift(timedelta(minutes=minutes))


def shown_phone(page: str) -> Phone:
    """The app that read the key of the page for setting up."""
    (key,) = re.findall(r'class="key">([A-Z2-7-]+)<', page)
    return Phone(base64.b32decode(key.replace("-", "")).hex())


def shown_codes(page: str) -> list[str]:
    return re.findall(r"<li><code>([a-z2-7-]+)</code>", page)


def set_up(client: Client, **password: str) -> tuple[Phone, list[str]]:
    phone = shown_phone(client.get(PAGE).content.decode())
    response = client.post(PAGE, {"code": phone.code(), **password})
    assert response.status_code == 200
    codes = shown_codes(response.content.decode())
    assert len(set(codes)) == 10
    return phone, codes


def opens_admin(client: Client) -> bool:
    return client.get("/admin/").status_code == 200


def test_set_up_takes_the_password_and_a_code(stella: Any, caplog: Any) -> None:
    caplog.set_level(logging.DEBUG)
    client, other, token = typed_password(), typed_password(), client_of(stella)
    response = client.get(PAGE)
    page = response.content.decode()
    phone = shown_phone(page)
    assert "<svg" in page
    assert not re.search(r"\sstyle=|<style|<script(?![^>]*\ssrc=)|\son\w+=", page)  # the policy forbids them
    assert "no-store" in response["Cache-Control"]
    assert shown_phone(client.get(PAGE).content.decode()).key == phone.key  # reloading keeps what was scanned
    assert shown_phone(other.get(PAGE).content.decode()).key != phone.key
    for body in (
        {"code": phone.wrong(), "password": PASSWORD},
        {"code": phone.code(), "password": "wrong"},
        {"code": phone.code()},
        {"password": PASSWORD},
    ):
        refused = client.post(PAGE, body)
        assert (refused.status_code, "errornote" in refused.content.decode()) == (200, True)
        assert not TOTPDevice.objects.exists()
    _, codes = set_up(client, password=PASSWORD)
    assert opens_admin(client)
    assert not opens_admin(other)  # it began without the second factor
    assert token.get("/account/").status_code == 401
    stored = str(list(StaticToken.objects.values_list("token", flat=True)))
    assert not any(code.replace("-", "") in stored.lower() for code in codes)
    shown_again = client.get(PAGE).content.decode()
    assert not shown_codes(shown_again)
    secrets = [phone.key, two_factor.key_text(phone.key), *codes]
    assert not any(secret in text for secret in secrets for text in (caplog.text, shown_again))
    assert not LogEntry.objects.exists()


def test_the_log_in_asks_for_a_code(stella: Any) -> None:
    phone = phone_of(stella)
    client = typed_password(page="/admin/products/product/?q=x")
    assert client.get("/admin/")["Location"].startswith(LOGIN)
    assert client.get("/account/").status_code == 401  # nor does the API take this session
    assert client.get(PAGE)["Location"] == CODE
    assert client.post(PAGE, {"code": phone.code(), "password": PASSWORD, "action": "turn-off"})["Location"] == CODE
    wrong = client.post(CODE, {"code": phone.wrong()})
    assert (wrong.status_code, "This code is wrong" in wrong.content.decode()) == (200, True)
    assert not opens_admin(client)
    assert client.post(CODE, {"code": f" {phone.code()[:3]} {phone.code()[3:]} "})["Location"] == (
        "/admin/products/product/?q=x"
    )
    assert opens_admin(client)
    assert client.get("/account/").status_code == 200
    assert Client().get(CODE)["Location"] == LOGIN
    assert Client().get(PAGE)["Location"] == LOGIN


def test_the_log_in_leads_to_no_other_host(stella: Any) -> None:
    phone = phone_of(stella)
    client = typed_password(page="https://example.com/")
    assert client.post(CODE, {"code": phone.code()})["Location"] == "/admin/"


@pytest.mark.parametrize(
    "bad", ["", "12345", "1234567", "+12345", "-12345", "1e4444", "１２３４５６", "x" * 5000, "\0"]
)
def test_what_is_no_code_is_refused(stella: Any, bad: str) -> None:
    phone_of(stella)
    client = typed_password()
    assert client.post(CODE, {"code": bad}).status_code == 200
    assert not opens_admin(client)


def test_a_code_works_once(stella: Any) -> None:
    phone = phone_of(stella)
    code = phone.code()
    first, second = typed_password(), typed_password()
    assert first.post(CODE, {"code": code}).status_code == 302
    assert second.post(CODE, {"code": code}).status_code == 200
    assert not opens_admin(second)
    assert second.post(CODE, {"code": phone.code(ahead=1)}).status_code == 302
    assert typed_password().post(CODE, {"code": code}).status_code == 200  # nor does an earlier one


def test_the_code_of_the_set_up_does_not_sign_in(stella: Any) -> None:
    client = typed_password()
    phone = shown_phone(client.get(PAGE).content.decode())
    code = phone.code()
    assert client.post(PAGE, {"code": code, "password": PASSWORD}).status_code == 200
    assert typed_password().post(CODE, {"code": code}).status_code == 200


def test_a_recovery_code_works_once(stella: Any) -> None:
    _, codes = set_up(typed_password(), password=PASSWORD)
    client = typed_password()
    assert client.post(CODE, {"code": codes[0].upper().replace("-", " ")}).status_code == 302
    assert "9 unused recovery codes" in client.get(PAGE).content.decode()
    assert typed_password().post(CODE, {"code": codes[0]}).status_code == 200
    assert typed_password().post(CODE, {"code": codes[1]}).status_code == 302
    otto = factories.user("otto", is_staff=True)
    phone_of(otto)
    assert typed_password("otto").post(CODE, {"code": codes[2]}).status_code == 200  # of another account


def test_new_recovery_codes_replace_the_old_ones(stella: Any, later: Any) -> None:
    client = typed_password()
    phone, old = set_up(client, password=PASSWORD)
    later(2)
    body = {"password": PASSWORD, "code": phone.code(), "action": "codes"}
    new = shown_codes(client.post(PAGE, body).content.decode())
    assert len(set(new) - set(old)) == 10
    assert typed_password().post(CODE, {"code": old[0]}).status_code == 200
    assert typed_password().post(CODE, {"code": new[0]}).status_code == 302
    assert "New recovery codes" in " ".join(str(mail.subject) for mail in deliver())


def test_turning_off_takes_the_password_and_a_code(stella: Any) -> None:
    phone = phone_of(stella)
    client = signed_in(phone)
    for body in (
        {"password": PASSWORD, "code": phone.wrong()},
        {"password": "wrong", "code": phone.code(ahead=1)},
        {"password": PASSWORD},
        {"code": phone.code(ahead=1)},
    ):
        assert client.post(PAGE, {**body, "action": "turn-off"}).status_code == 200
        assert two_factor.is_set_up(stella)
    # The wrong password did not use up the code.
    body = {"password": PASSWORD, "code": phone.code(ahead=1), "action": "turn-off"}
    assert client.post(PAGE, body)["Location"] == "/admin/"
    assert opens_admin(client)
    assert not two_factor.is_set_up(stella)
    assert not StaticToken.objects.exists()
    assert opens_admin(typed_password())
    assert "removed" in " ".join(str(mail.subject) for mail in deliver())


def test_required_staff_without_one_get_the_set_up_alone(settings: Any, stella: Any) -> None:
    before = typed_password()
    settings.STAFF_TWO_FACTOR = "required"
    assert not opens_admin(before)  # a session of before
    client = typed_password(page="/admin/accounts/user/")
    for path in ("/admin/", "/admin/accounts/user/", "/admin/password_change/"):
        assert client.get(path)["Location"].startswith(LOGIN), path
    assert client.get("/account/").status_code == 401
    assert client.get(CODE)["Location"] == LOGIN
    shown = client.get(PAGE).content.decode()
    assert "This shop requires a second factor" in shown
    assert "id_password" not in shown
    assert "shop-nav" not in shown
    response = client.post(PAGE, {"code": shown_phone(shown).code()})
    assert len(shown_codes(response.content.decode())) == 10
    assert 'href="/admin/accounts/user/"' in response.content.decode()
    assert opens_admin(client)


def test_required_turning_off_leads_back_to_the_set_up(settings: Any, stella: Any) -> None:
    settings.STAFF_TWO_FACTOR = "required"
    phone = phone_of(stella)
    client = signed_in(phone)
    assert opens_admin(client)
    client.post(PAGE, {"password": PASSWORD, "code": phone.code(ahead=1), "action": "turn-off"})
    assert not opens_admin(client)
    assert typed_password().get(PAGE).status_code == 200


def test_off_asks_for_nothing_and_keeps_the_rows(settings: Any, stella: Any) -> None:
    phone = phone_of(stella)
    settings.STAFF_TWO_FACTOR = "off"
    client = typed_password()
    assert opens_admin(client)
    assert "does not ask for a second factor" in client.get(PAGE).content.decode()
    assert client.post(PAGE, {"password": PASSWORD, "code": phone.code(), "action": "turn-off"}).status_code == 200
    assert two_factor.is_set_up(stella)
    settings.STAFF_TWO_FACTOR = "optional"
    assert not opens_admin(client)  # it never gave the code
    assert opens_admin(signed_in(phone))


def test_the_second_step_ends_after_ten_minutes_and_with_a_new_password(stella: Any, later: Any) -> None:
    phone = phone_of(stella)
    client, other = typed_password(), typed_password()
    later(9)
    assert client.get(CODE).status_code == 200
    later(2)
    assert client.get(CODE)["Location"] == LOGIN
    assert client.post(CODE, {"code": phone.code()})["Location"] == LOGIN
    client = typed_password()
    stella.set_password(NEW_PASSWORD)
    stella.save()
    for each in (client, other):
        assert each.post(CODE, {"code": phone.code()})["Location"] == LOGIN
        assert not opens_admin(each)


@pytest.mark.parametrize("path", [CODE, PAGE])
def test_a_body_is_as_small_as_those_of_the_account_paths(stella: Any, path: str) -> None:
    assert typed_password().post(path, {"code": "1" * 20_000}).status_code == 413


def test_a_customer_has_no_page_of_it() -> None:
    carla = factories.user("carla")
    client = Client()
    client.force_login(carla)
    assert client.get(PAGE)["Location"] == LOGIN


def test_no_page_shows_or_changes_the_stored_keys(stella: Any) -> None:
    phone = phone_of(stella)
    client = signed_in(phone)
    for path in ("otp_totp/totpdevice/", "otp_static/staticdevice/", "otp_totp/"):
        assert client.get(f"/admin/{path}").status_code == 404
    for path in ("", f"accounts/user/{stella.pk}/change/", f"accounts/user/{stella.pk}/delete/"):
        shown = html.unescape(client.get(f"/admin/{path}").content.decode())
        assert phone.key not in shown


def test_a_long_name_of_any_script_fits_the_qr_code(settings: Any) -> None:
    settings.OTP_TOTP_ISSUER = "店" * 60
    user = factories.user("名" * 150, email="long@example.com", is_staff=True)
    client = Client()
    client.force_login(user)
    assert "<svg" in client.get(PAGE).content.decode()

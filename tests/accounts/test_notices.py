"""Notices: each way to a new password, and each change of the second factor, sends a mail without secrets."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from rest_framework.test import APIClient

from accounts import two_factor
from tests import factories
from tests.accounts.phones import PAGE, phone_of
from tests.mail import deliver, query
from tests.passwords import NEW_PASSWORD
from tests.signing_in import client_of

pytestmark = pytest.mark.django_db

SUBJECT = "Your password at Product Backend was changed"


def by_api(user: Any) -> None:
    body = {"old_password": factories.PASSWORD, "new_password": NEW_PASSWORD}
    assert client_of(user).post("/account/password/", body).status_code == 204


def by_reset(user: Any) -> None:
    api = APIClient()
    api.post("/password-reset/", {"email": user.email})
    (mail,) = deliver()
    assert api.post("/password-reset/confirm/", {**query(mail), "new_password": NEW_PASSWORD}).status_code == 204


def by_admin(user: Any) -> None:
    client = Client()
    client.force_login(user)
    body = {"old_password": factories.PASSWORD, "new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
    assert client.post("/admin/password_change/", body).status_code == 302


def by_another(user: Any) -> None:
    client = Client()
    client.force_login(factories.user("boss", is_staff=True, is_superuser=True))
    body = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD, "usable_password": "true"}
    assert client.post(f"/admin/accounts/user/{user.pk}/password/", body).status_code == 302


def by_command(user: Any) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("getpass.getpass", lambda prompt: NEW_PASSWORD)
        call_command("changepassword", user.username, verbosity=0)


@pytest.mark.parametrize("change", [by_api, by_reset, by_admin, by_another, by_command])
def test_a_new_password_is_a_notice(change: Callable[[Any], None]) -> None:
    user = factories.user("stella", is_staff=True, email_verified=True)
    change(user)
    mails = deliver()
    assert [(mail.subject, mail.to) for mail in mails] == [(SUBJECT, [user.email])]
    assert "of your account stella" in str(mails[0].body)
    assert NEW_PASSWORD not in str(mails[0].message())
    assert factories.account("stella").check_password(NEW_PASSWORD)


def test_what_is_no_new_password_sends_nothing() -> None:
    user = factories.user("stella", is_staff=True)
    user.first_name = "Stella"
    user.save()
    refused = {"old_password": "wrong", "new_password": NEW_PASSWORD}
    assert client_of(user).post("/account/password/", refused).status_code == 400
    new = factories.user("otto", email=None)
    new.set_password(NEW_PASSWORD)
    new.save()  # has no address
    get_new = {"username": "carla", "email": "carla@example.com"}
    body = {**get_new, "password": NEW_PASSWORD, "repeat_password": NEW_PASSWORD}
    assert APIClient().post("/register/", body).status_code == 201
    assert [mail.subject for mail in deliver() if "password" in mail.subject] == []


def test_each_change_of_the_second_factor_is_a_notice_without_secrets() -> None:
    user = factories.user("stella", is_staff=True)
    phone = phone_of(user)
    two_factor.turn_off(user=user)
    codes = two_factor.set_up(user=user, key=phone.key, code=phone.code())
    codes += two_factor.renew_recovery_codes(user=user)
    two_factor.reset(user=user)
    mails = deliver()
    assert [mail.subject for mail in mails] == [
        "Your second factor at Product Backend was removed",
        "A second factor was set up at Product Backend",
        "New recovery codes at Product Backend",
        "Your second factor at Product Backend was removed",
    ]
    for mail in mails:
        text = str(mail.message())
        secrets = [*codes, phone.key, two_factor.key_text(phone.key), "otpauth", "token=", "stella,"]
        assert not any(secret in text for secret in secrets)  # nor a name, for the address is unverified


def test_the_page_of_a_signed_in_user_sends_it() -> None:
    client = Client()
    client.force_login(factories.user("stella", is_staff=True))
    client.get(PAGE)
    assert deliver() == []

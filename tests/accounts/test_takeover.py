"""Account takeover by a stolen token, password or address: the owner recovers the account."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
import time_machine
from django.core import mail as django_mail
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import AddressChange, User
from accounts.tasks import flush_expired_tokens
from outbox import sending
from tests import factories
from tests.mail import deliver, query
from tests.passwords import NEW_PASSWORD

pytestmark = pytest.mark.django_db


def ask(client: APIClient, address: str, password: str = factories.PASSWORD) -> Any:
    return client.patch("/account/", {"email": address, "password": password})


def mail_to(address: str, subject: str) -> dict[str, str]:
    """Return the query of the link in the newest mail with that subject to the address."""
    deliver()
    found = [mail for mail in django_mail.outbox if mail.to == [address] and subject in mail.subject]
    return query(found[-1])


def verify(api: APIClient, link: dict[str, str]) -> int:
    return api.post("/email/confirm/", link).status_code


def reset(api: APIClient, address: str, password: str = NEW_PASSWORD) -> int:
    api.post("/password-reset/", {"email": address})
    body = {**mail_to(address, "A new password"), "new_password": password}
    return api.post("/password-reset/confirm/", body).status_code


def by_changing(api: APIClient, owner: APIClient) -> None:
    body = {"old_password": factories.PASSWORD, "new_password": NEW_PASSWORD}
    assert owner.post("/account/password/", body).status_code == 204


def by_reset(api: APIClient, owner: APIClient) -> None:
    assert reset(api, "carla@example.com") == 204


def by_revoking_all(api: APIClient, owner: APIClient) -> None:
    assert owner.post("/token/revoke-all/").status_code == 204


def by_command(api: APIClient, owner: APIClient) -> None:
    user = factories.account()
    user.set_password(NEW_PASSWORD)
    user.save()


def by_disabling(api: APIClient, owner: APIClient) -> None:
    user = factories.account()
    user.set_unusable_password()
    user.save()


CHANGES = [by_changing, by_reset, by_revoking_all, by_command, by_disabling]


@pytest.mark.parametrize("end", CHANGES)
def test_a_change_of_credentials_revokes_everything_pending(api: APIClient, customer: APIClient, end: Callable) -> None:
    ask(customer, "thief@example.com")
    link = mail_to("thief@example.com", "Verify")
    api.post("/password-reset/", {"email": "carla@example.com"})
    earlier = mail_to("carla@example.com", "A new password")
    end(api, customer)
    assert factories.account().pending_email is None
    assert verify(api, link) == 400
    # The old token stays invalid if the same address is pending again.
    User.objects.update(pending_email="thief@example.com")
    assert verify(api, link) == 400
    assert api.post("/password-reset/confirm/", {**earlier, "new_password": NEW_PASSWORD}).status_code == 400
    assert factories.account().email == "carla@example.com"


def test_a_reset_confirms_its_address(api: APIClient) -> None:
    factories.user("carla")
    assert not factories.account().email_verified
    assert reset(api, "carla@example.com") == 204
    assert factories.account().email_verified


def test_a_reset_recovers_an_account_that_a_thief_registered(api: APIClient, customer: APIClient) -> None:
    """A thief registered with the victim's address, and has an address of their own pending."""
    ask(customer, "thief@example.com")
    link = mail_to("thief@example.com", "Verify")
    assert reset(api, "carla@example.com") == 204
    assert verify(api, link) == 400
    assert customer.get("/account/").status_code == 401
    carla = factories.account()
    assert (carla.email, carla.pending_email, carla.email_verified) == ("carla@example.com", None, True)


@pytest.mark.parametrize("is_verified", [False, True])
def test_the_old_address_undoes_a_change(api: APIClient, customer: APIClient, is_verified: bool) -> None:
    ask(customer, "thief@example.com")
    undo = mail_to("carla@example.com", "is to be changed")
    if is_verified:
        assert verify(api, mail_to("thief@example.com", "Verify")) == 204
        assert factories.account().email == "thief@example.com"
        undo = mail_to("carla@example.com", "has been changed")
        api.post("/password-reset/", {"email": "thief@example.com"})
        thiefs = mail_to("thief@example.com", "A new password")
    pair = api.post("/token/", {"username": "carla", "password": factories.PASSWORD}).json()
    assert api.get("/email/undo/", undo, HTTP_ACCEPT="text/html").status_code == 200  # a scanner's GET does nothing
    assert customer.get("/account/").status_code == 200
    assert api.post("/email/undo/", undo).status_code == 204
    carla = factories.account()
    assert (carla.email, carla.email_verified, carla.pending_email) == ("carla@example.com", True, None)
    assert customer.get("/account/").status_code == 401
    assert api.post("/token/refresh/", {"refresh": pair["refresh"]}).status_code == 401
    if is_verified:
        assert api.post("/password-reset/confirm/", {**thiefs, "new_password": NEW_PASSWORD}).status_code == 400
    mine = mail_to("carla@example.com", "A new password")  # sent by the undo itself
    assert api.post("/password-reset/confirm/", {**mine, "new_password": NEW_PASSWORD}).status_code == 204
    assert api.post("/email/undo/", undo).status_code == 400


def test_of_several_changes_the_first_owner_wins(api: APIClient, customer: APIClient) -> None:
    ask(customer, "one@example.com")
    assert verify(api, mail_to("one@example.com", "Verify")) == 204
    owners = mail_to("carla@example.com", "has been changed")
    ask(customer, "two@example.com")
    assert verify(api, mail_to("two@example.com", "Verify")) == 204
    thiefs = mail_to("one@example.com", "has been changed")
    assert reset(api, "two@example.com") == 204  # another password does not invalidate the owner's link
    factories.user("squatter", email="carla@example.com")  # nor does an account that names the address
    assert api.post("/email/undo/", owners).status_code == 204
    assert factories.account().email == "carla@example.com"
    assert factories.account("squatter").email is None
    assert api.post("/email/undo/", thiefs).status_code == 400
    assert factories.account().email == "carla@example.com"


def test_an_undo_token_expires_and_has_its_own_salt(api: APIClient, customer: APIClient) -> None:
    ask(customer, "new@example.com")
    undo, link = mail_to("carla@example.com", "is to be changed"), mail_to("new@example.com", "Verify")
    assert api.post("/email/undo/", link).status_code == 400
    assert verify(api, undo) == 400
    for bad in ("", "x", None, 5, ["x"], "a:b:c"):
        assert api.post("/email/undo/", {"token": bad}).status_code == 400
    with time_machine.travel(timezone.now() + timedelta(days=3, seconds=5)):
        assert api.post("/email/undo/", undo).status_code == 400
    with time_machine.travel(timezone.now() + timedelta(days=15)):
        flush_expired_tokens()
    assert not AddressChange.objects.exists()


def test_undoing_by_the_page(api: APIClient, customer: APIClient) -> None:
    ask(customer, "new@example.com")
    undo = mail_to("carla@example.com", "is to be changed")
    shown = api.get("/email/undo/", {"token": '"><b>'}, HTTP_ACCEPT="text/html").content.decode()
    assert "Keep this address" in shown
    assert "<b>" not in shown
    form = "application/x-www-form-urlencoded"
    done = Client().post("/email/undo/", urlencode(undo), form, headers={"Accept": "text/html"})
    assert (done.status_code, "The address is restored" in done.content.decode()) == (200, True)
    assert factories.account().pending_email is None


def test_the_changepassword_command_revokes_everything_pending(customer: APIClient, monkeypatch: Any) -> None:
    ask(customer, "thief@example.com")
    monkeypatch.setattr("getpass.getpass", lambda prompt: NEW_PASSWORD)
    call_command("changepassword", "carla", verbosity=0)
    assert (factories.account().pending_email, factories.account().check_password(NEW_PASSWORD)) == (None, True)
    assert customer.get("/account/").status_code == 401


def test_closing_deletes_former_addresses(customer: APIClient) -> None:
    ask(customer, "new@example.com")
    assert customer.delete("/account/", {"password": factories.PASSWORD}).status_code == 204
    assert not AddressChange.objects.exists()
    assert sending.due() == []

"""From a mail's link to what it does: confirming an address, setting a new password."""

import re
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.core import mail as django_mail
from django.core.mail import EmailMessage
from django.utils import timezone
from rest_framework.test import APIClient

from outbox import sending
from outbox.models import Mail
from tests import factories

pytestmark = pytest.mark.django_db

NEW = "quite another secret"


def deliver() -> list[EmailMessage]:
    """Send all that is owed, and return it."""
    django_mail.outbox.clear()
    for mail_id in sending.due():
        sending.send(mail_id)
    return list(django_mail.outbox)


def link(mail: EmailMessage) -> str:
    found = re.search(r"https?://\S+", str(mail.body))
    assert found
    return found[0]


def query(mail: EmailMessage) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(link(mail)).query).items()}


def account(username: str = "carla") -> Any:
    return get_user_model().objects.get(username=username)


@pytest.fixture
def registered(api: APIClient) -> EmailMessage:
    """The confirmation that a newcomer gets."""
    body = {"username": "carla", "email": "carla@example.com", "first_name": "<Carla>"}
    api.post("/register/", {**body, "password": factories.PASSWORD, "repeat_password": factories.PASSWORD})
    (mail,) = deliver()
    return mail


def test_a_newcomer_confirms_the_address_once(api: APIClient, registered: EmailMessage, settings: Any) -> None:
    assert registered.to == ["carla@example.com"]
    assert settings.SHOP_NAME in registered.subject
    assert link(registered).startswith("http://127.0.0.1:8000/email/confirm/?token=")
    assert api.post("/email/confirm/", query(registered)).status_code == 204
    assert account().email_verified is True
    again = api.post("/email/confirm/", query(registered))
    assert (again.status_code, again.json()["type"]) == (400, "/problems/invalid-token")


def test_a_mail_is_plain_text_and_html_with_the_same_link(registered: EmailMessage) -> None:
    assert "Hello <Carla>," in str(registered.body)
    (html, kind) = registered.alternatives[0]  # type: ignore[attr-defined]
    assert kind == "text/html"
    assert "Hello &lt;Carla&gt;," in html
    assert link(registered) in unescape(html)


def test_the_page_of_the_link_does_nothing_until_its_button_is_pressed(
    api: APIClient, registered: EmailMessage
) -> None:
    parts = urlsplit(link(registered))
    page = api.get(f"{parts.path}?{parts.query}", HTTP_ACCEPT="text/html,*/*;q=0.8")
    assert page.status_code == 200
    assert page["Content-Type"] == "text/html; charset=utf-8"
    assert page["Cache-Control"] == "private, no-store"
    assert "<script" not in page.content.decode()
    assert account().email_verified is False
    form = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page.content.decode()))
    body = "&".join(f"{name}={value}" for name, value in form.items())
    answer = api.generic(
        "POST", "/email/confirm/", body, "application/x-www-form-urlencoded", HTTP_ACCEPT="text/html,*/*;q=0.8"
    )
    assert answer.status_code == 200
    assert "confirmed" in answer.content.decode()
    assert account().email_verified is True
    again = api.generic(
        "POST", "/email/confirm/", body, "application/x-www-form-urlencoded", HTTP_ACCEPT="text/html,*/*;q=0.8"
    )
    assert again.status_code == 400
    assert again["Content-Type"].startswith("text/html")
    assert "no longer good" in again.content.decode()


def test_what_the_query_says_is_escaped_on_the_page(api: APIClient) -> None:
    page = api.get("/password-reset/confirm/", {"uid": '"><script>', "token": "x"}, HTTP_ACCEPT="text/html")
    assert "<script" not in page.content.decode()
    assert api.get("/email/confirm/").status_code == 200
    assert api.get("/email/confirm/", HTTP_ACCEPT="application/json").status_code == 406


@pytest.mark.parametrize("token", ["", "x", "a:b:c", "\x00", "é" * 2000, None, ["x"]])
def test_a_token_that_we_never_made_is_a_400(api: APIClient, token: Any) -> None:
    assert api.post("/email/confirm/", {"token": token}).status_code == 400
    body = {"uid": token, "token": token, "new_password": NEW}
    assert api.post("/password-reset/confirm/", body).status_code == 400


def test_a_confirmation_expires(api: APIClient, registered: EmailMessage) -> None:
    with time_machine.travel(timezone.now() + timedelta(days=3, minutes=1)):
        assert api.post("/email/confirm/", query(registered)).status_code == 400


def test_another_front_end_gets_the_links(api: APIClient, settings: Any) -> None:
    settings.EMAIL_CONFIRM_URL = "https://shop.example/confirm?lang=en"
    settings.PASSWORD_RESET_URL = "https://shop.example/reset"
    factories.user("carla")
    client = signed_in(api)
    client.patch("/account/", {"email": "new@example.com"})
    api.post("/password-reset/", {"email": "carla@example.com"})
    links = [link(mail) for mail in deliver() if mail.subject.startswith(("Confirm", "A new password"))]
    assert links[0].startswith("https://shop.example/confirm?lang=en&token=")
    assert links[1].startswith("https://shop.example/reset?uid=")


def signed_in(api: APIClient, username: str = "carla") -> APIClient:
    token = api.post("/token/", {"username": username, "password": factories.PASSWORD}).json()["access"]
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client


def test_a_new_address_waits_until_it_is_confirmed(api: APIClient, customer: APIClient) -> None:
    changed = customer.patch("/account/", {"email": "New@Example.com"}).json()
    assert (changed["email"], changed["pending_email"]) == ("carla@example.com", "new@example.com")
    notice, confirmation = deliver()
    assert (notice.to, confirmation.to) == (["carla@example.com"], ["new@example.com"])
    assert "new@example.com" not in str(notice.body)
    assert api.post("/email/confirm/", query(confirmation)).status_code == 204
    changed = customer.get("/account/").json()
    assert (changed["email"], changed["pending_email"], changed["email_verified"]) == ("new@example.com", None, True)


def test_a_link_ends_when_another_address_is_asked_for(api: APIClient, customer: APIClient) -> None:
    customer.patch("/account/", {"email": "first@example.com"})
    _, first = deliver()
    customer.patch("/account/", {"email": "second@example.com"})
    assert api.post("/email/confirm/", query(first)).status_code == 400
    customer.patch("/account/", {"email": "carla@example.com"})
    assert customer.get("/account/").json()["pending_email"] is None


def test_the_address_of_another_account_is_refused(customer: APIClient) -> None:
    factories.user("otto")
    answer = customer.patch("/account/", {"email": "OTTO@example.com"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "email")


def test_whoever_confirms_first_has_the_address(api: APIClient, customer: APIClient, other_customer: APIClient) -> None:
    for client in (customer, other_customer):
        client.patch("/account/", {"email": "wanted@example.com"})
    carlas, ottos = (mail for mail in deliver() if mail.to == ["wanted@example.com"])
    assert api.post("/email/confirm/", query(ottos)).status_code == 204
    assert api.post("/email/confirm/", query(carlas)).status_code == 400
    assert account("otto").email == "wanted@example.com"
    assert account("carla").email == "carla@example.com"


def test_who_reads_the_mail_gets_the_address_from_who_merely_named_it(api: APIClient, customer: APIClient) -> None:
    customer.patch("/account/", {"email": "wanted@example.com"})
    (mail,) = (mail for mail in deliver() if mail.to == ["wanted@example.com"])
    squatter = factories.user("squatter", email="wanted@example.com")
    assert api.post("/email/confirm/", query(mail)).status_code == 204
    squatter.refresh_from_db()
    assert squatter.email is None
    assert account("carla").email == "wanted@example.com"


def test_asking_for_a_new_password_says_nothing_about_who_is_known(api: APIClient) -> None:
    factories.user("carla")
    factories.user("gone", is_active=False)
    answers = [api.post("/password-reset/", {"email": f"{name}@Example.com"}) for name in ("carla", "nobody", "gone")]
    assert [answer.status_code for answer in answers] == [202, 202, 202]
    assert len({answer.content for answer in answers}) == 1
    assert [mail.to for mail in deliver()] == [["carla@example.com"]]
    assert set(Mail.objects.values_list("recipient", flat=True)) == {"carla@example.com"}
    assert api.post("/password-reset/", {"email": "no address"}).status_code == 400


def test_a_new_password_is_set_once_and_ends_every_token(api: APIClient) -> None:
    factories.user("carla")
    client = signed_in(api)
    api.post("/password-reset/", {"email": "CARLA@example.com"})
    (mail,) = deliver()
    weak = api.post("/password-reset/confirm/", {**query(mail), "new_password": "carla"})
    assert (weak.status_code, weak.json()["errors"][0]["field"]) == (400, "new_password")
    assert api.post("/password-reset/confirm/", {**query(mail), "new_password": NEW}).status_code == 204
    again = api.post("/password-reset/confirm/", {**query(mail), "new_password": "and one more secret"})
    assert (again.status_code, again.json()["type"]) == (400, "/problems/invalid-token")
    assert client.get("/account/").status_code == 401
    assert api.post("/token/", {"username": "carla", "password": NEW}).status_code == 200


def test_one_users_reset_token_does_not_fit_another(api: APIClient) -> None:
    for name in ("carla", "otto"):
        factories.user(name)
        api.post("/password-reset/", {"email": f"{name}@example.com"})
    carlas, ottos = deliver()
    body = {"uid": query(ottos)["uid"], "token": query(carlas)["token"], "new_password": NEW}
    assert api.post("/password-reset/confirm/", body).status_code == 400


def test_a_reset_expires_and_ends_with_the_account(api: APIClient) -> None:
    user = factories.user("carla")
    api.post("/password-reset/", {"email": "carla@example.com"})
    (mail,) = deliver()
    body = {**query(mail), "new_password": NEW}
    with time_machine.travel(timezone.now() + timedelta(days=3, minutes=1)):
        assert api.post("/password-reset/confirm/", body).status_code == 400
    get_user_model().objects.filter(pk=user.pk).update(is_active=False)
    assert api.post("/password-reset/confirm/", body).status_code == 400


def test_no_secret_is_stored(api: APIClient) -> None:
    factories.user("carla")
    api.post("/password-reset/", {"email": "carla@example.com"})
    (mail,) = deliver()
    assert not any(query(mail)["token"] in str(value) for value in Mail.objects.values_list())

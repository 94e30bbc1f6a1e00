"""Each mailbox has one account, in whichever spelling."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from outbox.models import Mail
from tests import factories
from tests.signing_in import client_of, register

pytestmark = pytest.mark.django_db


SPELLINGS = [
    ("carla@münchen.de", "Carla@MÜNCHEN.de"),
    ("carla@münchen.de", "carla@xn--mnchen-3ya.de"),
    ("carla@XN--MNCHEN-3YA.de", "carla@mu\u0308nchen.de"),
    ("carla@münchen.de", "carla＠münchen。de"),
    ("carla@例え.jp", "carla@xn--r8jz45g.jp"),
    ("carla@example.com", "carla@ｅxample.com"),
    ("carla@example.com", "ｃarla@example.com"),
    ("carla@example.com", '"carla"@example.com'),
    ("carla@example.com", "carla@example．com"),
    ("kim@example.com", "\u212aim@example.com"),
    ("sam@example.com", "\u017fam@example.com"),
    ("carla@[::1]", "carla@[0:0::1]"),
]


@pytest.mark.parametrize(("first", "second"), SPELLINGS)
def test_a_mailbox_has_one_account_in_any_spelling(api: APIClient, client: Any, first: str, second: str) -> None:
    assert register(api, "carla", first).status_code == 201
    response = register(api, "otto", second)
    assert [(each["field"], each["code"]) for each in response.json()["errors"]] == [("email", "unique")]
    for spelling in (first, second):
        response = api.post("/token/", {"username": spelling, "password": factories.PASSWORD}, format="json")
        assert response.status_code == 200, spelling
    stella = factories.user("stella", is_staff=True, is_superuser=True)
    staff = client_of(stella)
    body = {"email": second, "password": factories.PASSWORD}
    assert staff.patch("/account/", body, format="json").status_code == 400
    Mail.objects.all().delete()
    assert api.post("/password-reset/", {"email": second}, format="json").status_code == 202
    assert Mail.objects.get().recipient == User.objects.get(username="carla").email
    client.force_login(stella)
    assert "carla" in client.get("/admin/accounts/user/", {"q": second}).content.decode()


@pytest.mark.parametrize(
    "address",
    [
        "carla@exam\u200bple.com",
        "car\u200bla@example.com",
        "carla@exam\u00adple.com",
        "carla@\u2060münchen.de",
        "kım@example.com",
        "carla@xn--abc-.de",
        "carla@example.com\ufeff.de",
    ],
)
def test_an_address_without_an_ascii_form_is_rejected(api: APIClient, client: Any, address: str) -> None:
    response = register(api, email=address)
    assert response.status_code == 400
    assert {each["field"] for each in response.json()["errors"]} == {"email"}
    client.force_login(factories.user("stella", is_staff=True, is_superuser=True))
    body = {"username": "otto", "email": address, "password1": factories.PASSWORD, "password2": factories.PASSWORD}
    assert "email" in client.post("/admin/accounts/user/add/", body).context["adminform"].form.errors


def test_another_domain_is_another_mailbox(api: APIClient) -> None:
    """Python's IDNA 2003 codec maps both to one domain."""
    assert register(api, "carla", "carla@strasse.de").status_code == 201
    assert register(api, "otto", "carla@straße.de").status_code == 201


def test_the_reset_throttle_counts_by_mailbox(api: APIClient, rate: Any) -> None:
    rate("password-reset", "2/hour")
    statuses = [
        api.post("/password-reset/", {"email": email}, format="json", REMOTE_ADDR=f"10.0.0.{index}").status_code
        for index, email in enumerate(("c@münchen.de", "C@xn--mnchen-3ya.de", "c@MÜNCHEN。de"))
    ]
    assert statuses == [202, 202, 429]

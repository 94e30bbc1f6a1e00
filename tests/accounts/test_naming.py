"""Confusable user names are rejected."""

from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection
from rest_framework.test import APIClient

from accounts.models import User
from tests import factories
from tests.signing_in import register

pytestmark = pytest.mark.django_db


GOOD = [
    "काला",
    "कालू",
    "ไทย",
    "田中taro",
    "たろうA",
    "김철수kim",
    "李ㄅ",
    "Łukasz",
    "иван",
    "Γιώργος",
    "محمد٣",
    "தமிழ்_1",
    "ʻokina",
]


def test_names_of_one_script_are_accepted(api: APIClient) -> None:
    for index, name in enumerate(GOOD):
        response = register(api, name, f"a{index}@example.com")
        assert (response.status_code, response.json().get("username")) == (201, name), response.content
        signed_in = api.post("/token/", {"username": name.upper(), "password": factories.PASSWORD}, format="json")
        assert signed_in.status_code == 200, name


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("аdmin", "mixed_scripts"),  # Cyrillic а
        ("αlpha", "mixed_scripts"),
        ("ivanов", "mixed_scripts"),
        ("admin৪", "mixed_scripts"),
        ("ไทยx", "mixed_scripts"),
        ("pаypаl", "mixed_scripts"),
        ("кaтя田中", "mixed_scripts"),
        ("ad\u200bmin", "invalid"),
        ("ad\u00admin", "invalid"),
        ("admin\ufe0f", "invalid"),
        ("admin\u2060", "invalid"),
        ("\u3164", "invalid"),
        ("\u0301admin", "invalid"),
        ("ad min", "invalid"),
    ],
)
def test_a_confusable_name_is_rejected(api: APIClient, staff: APIClient, name: str, code: str) -> None:
    response = register(api, name)
    assert response.status_code == 400
    assert [(each["field"], each["code"]) for each in response.json()["errors"]] == [("username", code)]


@pytest.mark.parametrize("name", ["аdmin", "ad\u200bmin"])
def test_the_admin_and_the_commands_reject_it_too(client: Any, settings: Any, name: str) -> None:
    client.force_login(factories.user("stella", is_staff=True, is_superuser=True))
    body = {"username": name, "email": "", "password1": factories.PASSWORD, "password2": factories.PASSWORD}
    response = client.post("/admin/accounts/user/add/", body)
    assert response.status_code == 200
    assert "username" in response.context["adminform"].form.errors
    settings.SUPERUSER_USERNAME, settings.SUPERUSER_EMAIL = name, None
    with pytest.raises(CommandError, match="DJANGO_SUPERUSER"):
        call_command("ensure_superuser")
    with pytest.raises(CommandError):
        call_command("createsuperuser", interactive=False, username=name, email="x@example.com")
    assert User.objects.count() == 1


def test_an_existing_confusable_name_can_sign_in_and_be_edited(api: APIClient, client: Any) -> None:
    user = factories.user("аdmin", email="old@example.com")
    response = api.post("/token/", {"username": "аdmin", "password": factories.PASSWORD}, format="json")
    assert response.status_code == 200
    client.force_login(factories.user("stella", is_staff=True, is_superuser=True))
    page = f"/admin/accounts/user/{user.pk}/change/"
    body = {"username": "аdmin", "email": user.email, "first_name": "Otto"}
    body |= {"date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}
    assert client.post(page, body).status_code == 302
    user.refresh_from_db()
    assert (user.first_name, user.is_active) == ("Otto", False)
    assert client.post(page, body | {"username": "аdmin2"}).status_code == 200


def test_the_migration_canonicalizes_and_skips_conflicts(api: APIClient, capsys: Any) -> None:
    carla, otto, ida = (factories.user(name) for name in ("carla", "otto", "ida"))
    User.objects.filter(pk=carla.pk).update(email="carla@münchen.de", pending_email="carla@例え.jp")
    User.objects.filter(pk=otto.pk).update(email="ida＠example.com")
    migration = import_module("accounts.migrations.0004_one_spelling")
    migration.respell(apps, connection.schema_editor())
    assert dict(User.objects.values_list("pk", "email")) == {
        carla.pk: "carla@xn--mnchen-3ya.de",
        otto.pk: "ida＠example.com",
        ida.pk: "ida@example.com",
    }
    carla.refresh_from_db()
    assert carla.pending_email == "carla@xn--r8jz45g.jp"
    assert f"Ids: {otto.pk}" in capsys.readouterr().out
    response = api.post("/token/", {"username": "otto", "password": factories.PASSWORD}, format="json")
    assert response.status_code == 200

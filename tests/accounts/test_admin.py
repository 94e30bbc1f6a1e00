"""Staff in the admin: no privilege escalation, and only superusers change staff and superusers."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from accounts.models import User
from outbox.models import Mail
from tests import factories
from tests.passwords import NEW_PASSWORD

pytestmark = pytest.mark.django_db

FLAGS = {"is_staff": "on", "is_superuser": "on", "is_active": "on"}


def url(view: str, *args: Any, of: str = "accounts_user") -> str:
    return reverse(f"admin:{of}_{view}", args=args)


@pytest.fixture
def support(db: Any) -> Client:
    """A client of staff with every permission for accounts and groups, and no other."""
    user = factories.user("sam", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__model__in=["user", "group"]))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def admin(db: Any) -> Client:
    client = Client()
    client.force_login(factories.user("stella", is_staff=True, is_superuser=True))
    return client


def permissions(user: User) -> tuple[Any, ...]:
    user = User.objects.get(pk=user.pk)
    return user.is_staff, user.is_superuser, user.groups.count(), user.user_permissions.count()


@pytest.mark.parametrize("who", ["sam", "carla"])
def test_staff_cannot_grant_permissions(support: Client, who: str) -> None:
    factories.user("carla")
    user, group = User.objects.get(username=who), Group.objects.create(name="All")
    before = permissions(user)
    wanted = {"groups": [group.pk], "user_permissions": list(Permission.objects.values_list("pk", flat=True))}
    response = support.post(url("change", user.pk), {"username": who, "email": user.email, **FLAGS, **wanted})
    assert response.status_code == 302
    assert permissions(user) == before


@pytest.mark.parametrize(
    "fields", [{"is_superuser": True, "is_staff": True}, {"is_staff": True}, {"is_superuser": True}]
)
def test_only_superusers_change_superusers_and_staff(support: Client, admin: Client, fields: Any) -> None:
    user = factories.user("victor", **fields)
    before = User.objects.filter(pk=user.pk).values().get()
    change = {"username": "renamed", "email": "thief@example.com", "is_active": "on"}
    password = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD, "usable_password": "true"}
    action = {"action": "delete_selected", "_selected_action": [user.pk], "post": "yes"}
    password_page = reverse("admin:auth_user_password_change", args=[user.pk])
    for client in (support, admin):
        if client is admin:
            assert User.objects.filter(pk=user.pk).values().get() == before
            assert not Mail.objects.exists()
        statuses = [
            client.post(url("change", user.pk), change).status_code,
            client.post(password_page, password).status_code,
            client.post(f"/admin/accounts/user/0{user.pk}/password/", password).status_code,
            client.post(url("delete", user.pk), {"post": "yes"}).status_code if client is support else 302,
        ]
        assert statuses == [403 if client is support else 302] * 4
        client.post(url("changelist"), action)
    assert not User.objects.filter(pk=user.pk).exists()


def test_bulk_deletion_is_rejected_with_a_superuser_in_the_selection(support: Client, admin: Client) -> None:
    customers = [factories.user("carla"), factories.user("otto")]
    stella = User.objects.get(username="stella")
    action = {"action": "delete_selected", "post": "yes"}
    support.post(url("changelist"), action | {"_selected_action": [stella.pk, *(user.pk for user in customers)]})
    assert User.objects.count() == 4
    support.post(url("changelist"), action | {"_selected_action": [user.pk for user in customers]})
    assert set(User.objects.values_list("username", flat=True)) == {"sam", "stella"}


def test_only_superusers_change_groups(support: Client, admin: Client) -> None:
    group = Group.objects.create(name="Helpers")
    User.objects.get(username="sam").groups.add(group)
    everything = {"name": "Helpers", "permissions": list(Permission.objects.values_list("pk", flat=True))}
    pages = [url("change", group.pk, of="auth_group"), url("add", of="auth_group")]
    assert [support.post(page, everything).status_code for page in pages] == [403, 403]
    assert support.post(url("delete", group.pk, of="auth_group"), {"post": "yes"}).status_code == 403
    assert support.get(pages[0]).status_code == 200  # read-only
    assert not group.permissions.exists()
    assert admin.post(pages[0], everything).status_code == 302
    assert group.permissions.exists()


def test_staff_cannot_change_their_own_password_or_address_without_the_password(support: Client) -> None:
    sam = User.objects.get(username="sam")
    password = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD, "usable_password": "true"}
    for pk in (sam.pk, f"0{sam.pk}", f"{sam.pk} "):
        page = f"/admin/accounts/user/{pk}/password/"
        assert support.post(page, password).status_code in (403, 404)
    support.post(url("change", sam.pk), {"username": "sam", "email": "thief@example.com", "first_name": "Sam"})
    assert support.post(url("delete", sam.pk), {"post": "yes"}).status_code == 403
    after = User.objects.get(pk=sam.pk)
    assert (after.email, after.pending_email, after.first_name) == ("sam@example.com", None, "Sam")
    assert (after.is_active, after.password) == (True, sam.password)


@pytest.mark.parametrize("role", ["support", "admin"])
def test_an_address_set_by_staff_is_pending_until_it_is_verified(role: str, request: Any, api: APIClient) -> None:
    client = request.getfixturevalue(role)
    user = factories.user("carla", email_verified=True)
    data = {"username": "carla", "email": "New@Example.com", "is_active": "on", "email_verified": "on"}
    assert client.post(url("change", user.pk), data).status_code == 302
    user.refresh_from_db()
    assert (user.email, user.email_verified, user.pending_email) == ("carla@example.com", True, "new@example.com")
    enqueued = set(Mail.objects.values_list("kind", "recipient"))
    assert enqueued == {("email-change", "carla@example.com"), ("email-confirm", "new@example.com")}


def test_staff_cannot_verify_an_address(support: Client) -> None:
    user = factories.user("carla")
    data = {"username": "carla", "email": user.email, "is_active": "on", "email_verified": "on"}
    support.post(url("change", user.pk), data | {"pending_email": "thief@example.com"})
    user.refresh_from_db()
    assert (user.email_verified, user.pending_email) == (False, None)
    support.post(
        url("add"),
        {"username": "otto", "email": "otto@example.com", "password1": NEW_PASSWORD, "password2": NEW_PASSWORD},
    )
    otto = User.objects.get(username="otto")
    assert (otto.email, otto.email_verified, otto.is_staff) == ("otto@example.com", False, False)
    assert Mail.objects.get().recipient == "otto@example.com"


def by_themselves(admin: Client, user: User) -> None:
    client = APIClient()
    client.force_authenticate(user)
    assert client.delete("/account/", {"password": factories.PASSWORD}).status_code == 204


def by_a_superuser(admin: Client, user: User) -> None:
    admin.post(url("delete", user.pk), {"post": "yes"})


def by_an_action(admin: Client, user: User) -> None:
    admin.post(url("changelist"), {"action": "delete_selected", "_selected_action": [user.pk], "post": "yes"})


@pytest.mark.parametrize("close", [by_themselves, by_a_superuser, by_an_action])
def test_closing_a_staff_account_preserves_its_log_entries(
    admin: Client, support: Client, close: Any, api: APIClient
) -> None:
    sam, carla = User.objects.get(username="sam"), factories.user("carla")
    support.post(url("change", carla.pk), {"username": "carla", "email": carla.email, "first_name": "Jo"})
    close(admin, sam)
    assert not User.objects.filter(username="sam").exists()
    entry = LogEntry.objects.get(object_id=str(carla.pk))
    assert (entry.user.username, entry.user.email, entry.user.is_active) == (f"closed account {sam.pk}", None, False)
    assert not entry.user.has_usable_password()
    assert permissions(entry.user) == (False, False, 0, 0)
    assert not LogEntry.objects.filter(object_repr="sam").exists()
    body = {"username": "sam", "email": "sam@example.com", "password": NEW_PASSWORD, "repeat_password": NEW_PASSWORD}
    assert api.post("/register/", body).status_code == 201
    admin.post(url("delete", entry.user_id), {"post": "yes"})
    assert LogEntry.objects.filter(object_id=str(carla.pk)).count() == 1

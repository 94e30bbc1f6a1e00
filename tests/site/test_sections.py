"""The sections of the admin's home page."""

import re
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group
from django.test import Client, RequestFactory

from productbackend.site import sections as sections_module
from productbackend.site.admin import ShopAdmin
from tests import factories

pytestmark = pytest.mark.django_db
SECTION = re.compile(r'<caption>\s*<a href="[^"]*" class="section"[^>]*>([^<]+)</a>')


def sections(client: Client) -> list[str]:
    return [name.strip() for name in SECTION.findall(client.get("/admin/").content.decode())]


def shown() -> list[dict[str, Any]]:
    """The sections of the superuser."""
    request = RequestFactory().get("/admin/")
    request.user = factories.user("vera", is_staff=True, is_superuser=True)
    found: list[dict[str, Any]] = admin.site.get_app_list(request)
    return found


def admin_of_all() -> list[Any]:
    return [admin.site.get_model_admin(model) for model in apps.get_models() if admin.site.is_registered(model)]


def test_tables_of_the_machinery_are_one_section_and_the_last(admin_client: Client) -> None:
    names = sections(admin_client)
    assert names[-1] == "System"
    assert names == ["Orders", "Catalogue", "Delivery and tax", "Customers and staff", "System"]
    system = admin_client.get("/admin/").content.decode().split("app-system module")[1]
    for table in ("Jobs", "Schedules by interval", "Tokens that were issued", "Events of payment providers"):
        assert table in system
    assert "Jobs" in admin_client.get("/admin/django_celery_beat/").content.decode()


def test_each_list_of_the_shop_is_in_a_section_and_has_its_name_on_its_pages(admin_client: Client) -> None:
    page = admin_client.get("/admin/").content.decode()
    navigation = page[page.index('id="shop-nav"') : page.index("</nav>")]
    sections_of = {model["name"]: section["name"] for section in shown() for model in section["models"]}
    assert {name for name, section in sections_of.items() if section == "Customers and staff"} == {
        "Accounts", "Roles", "History of changes", "Mails",
    }  # fmt: skip
    for name in sections_of:
        assert f">{name}</a>" in navigation
    accounts = admin_client.get("/admin/accounts/user/").content.decode()
    assert "<h1>Accounts</h1>" in accounts
    assert 'href="/admin/accounts/user/" aria-current="page">Accounts</a>' in accounts
    assert "Select user" in admin_client.get("/admin/accounts/user/?_popup=1").content.decode()
    for step in ("change", "history", "delete"):
        role = admin_client.get(f"/admin/auth/group/1/{step}/").content.decode()
        assert '&rsaquo; <a href="/admin/auth/group/">Roles</a>' in role


def test_lists_of_the_shop_name_their_section() -> None:
    own = [each for each in admin_of_all() if isinstance(each, ShopAdmin)]
    assert {each.section for each in own} <= {*sections_module.SECTIONS}
    unnamed = {each.opts.label for each in own if each.section == sections_module.SYSTEM}
    assert unnamed == {"payments.ProviderEvent"}


def test_who_may_see_none_of_them_has_no_such_section(client: Client) -> None:
    manager = factories.user(is_staff=True)
    manager.groups.add(Group.objects.get(name="Catalogue managers"))
    client.force_login(manager)
    assert sections(client)
    assert "System" not in sections(client)

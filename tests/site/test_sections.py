"""The sections of the admin's home page."""

import re

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from tests import factories

pytestmark = pytest.mark.django_db
SECTION = re.compile(r'<caption>\s*<a href="[^"]*" class="section"[^>]*>([^<]+)</a>')


def sections(client: Client) -> list[str]:
    return [name.strip() for name in SECTION.findall(client.get("/admin/").content.decode())]


def test_tables_of_the_machinery_are_one_section_and_the_last(admin_client: Client) -> None:
    names = sections(admin_client)
    assert names[-1] == "System"
    assert "Products" in names
    assert not {"Periodic Tasks", "Token Blacklist", "Authentication and Authorization"} & set(names)
    system = admin_client.get("/admin/").content.decode().split("app-system module")[1]
    for table in ("Groups", "Periodic tasks", "Outstanding Tokens"):
        assert table in system
    assert "Periodic tasks" in admin_client.get("/admin/django_celery_beat/").content.decode()


def test_who_may_see_none_of_them_has_no_such_section(client: Client) -> None:
    manager = factories.user(is_staff=True)
    manager.groups.add(Group.objects.get(name="Catalogue managers"))
    client.force_login(manager)
    assert sections(client)
    assert "System" not in sections(client)

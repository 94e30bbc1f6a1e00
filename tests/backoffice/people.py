"""Staff with single permissions."""

from typing import Any

from django.contrib.auth.models import Permission
from rest_framework.test import APIClient

from tests import factories
from tests.signing_in import client_of


def member(*permissions: str, name: str = "ada") -> Any:
    """A member of staff with these permissions, such as `orders.view_order`, and no other."""
    user = factories.user(name, is_staff=True)
    for permission in permissions:
        app, _, codename = permission.partition(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    return user


def staff_with(*permissions: str, name: str = "ada") -> APIClient:
    return client_of(member(*permissions, name=name))

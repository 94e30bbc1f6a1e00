"""Permissions: staff with Django's model permissions."""

from typing import TYPE_CHECKING, Any

from django.db.models import Model
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser, AnonymousUser

ACTIONS = {
    "GET": "view",
    "HEAD": "view",
    "OPTIONS": "view",
    "POST": "add",
    "PUT": "change",
    "PATCH": "change",
    "DELETE": "delete",
}
READS = ("GET", "HEAD", "OPTIONS")


def is_staff_with(user: "AbstractUser | AnonymousUser", action: str, model: type[Model]) -> bool:
    """Whether `user` is staff and holds Django's permission to view, add, change or delete `model`."""
    options = model._meta
    return bool(
        user.is_authenticated and user.is_staff and user.has_perm(f"{options.app_label}.{action}_{options.model_name}")
    )


def sees_all(user: "AbstractUser | AnonymousUser", model: type[Model]) -> bool:
    """Whether `user` may see the rows of `model` that are hidden from customers."""
    return is_staff_with(user, "view", model) or is_staff_with(user, "change", model)


def may_see_all(request: Request, model: type[Model]) -> bool:
    """Whether the request may access such rows: its user may see them, or `StaffWrites` has allowed the write."""
    return request.method not in READS or sees_all(request.user, model)


class IsCustomer(BasePermission):
    """Signed-in users, and guests on views with `allows_guests`."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return bool(request.user and request.user.is_authenticated) or request.auth is not None


class StaffWrites(BasePermission):
    """Anyone may read; staff with the permission for the view's `permission_model` may write."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if request.method in READS or request.method not in view.allowed_methods:
            return True  # an unsupported method is a 405 for every user
        action = getattr(view, "permission_action", None) or ACTIONS.get(request.method or "", "change")
        return is_staff_with(request.user, action, view.permission_model)


class StaffOnly(BasePermission):
    """Staff with the permission to view, add, change or delete the view's `permission_model`."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if request.method in READS:
            return sees_all(request.user, view.permission_model)
        if request.method not in view.allowed_methods:
            return True  # an unsupported method is a 405 for every user
        return is_staff_with(request.user, ACTIONS[request.method or ""], view.permission_model)

"""Who may."""

from typing import Any

from rest_framework.permissions import BasePermission

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


def is_staff_with(user: Any, action: str, model: Any) -> bool:
    """Whether `user` is staff and holds Django's permission to view, add, change or delete `model`."""
    options = model._meta
    return bool(
        user.is_authenticated and user.is_staff and user.has_perm(f"{options.app_label}.{action}_{options.model_name}")
    )


class StaffWrites(BasePermission):
    """Anyone reads; staff with the permission for the view's `permission_model` write."""

    def has_permission(self, request: Any, view: Any) -> bool:
        if request.method in READS:
            return True
        action = getattr(view, "permission_action", None) or ACTIONS.get(request.method, "change")
        return is_staff_with(request.user, action, view.permission_model)

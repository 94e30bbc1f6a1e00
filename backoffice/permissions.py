"""Who may import and export what."""

from typing import Any

from django.db.models import Model

from backoffice.imports.planning import PERMISSIONS
from productbackend.api.permissions import is_staff_with, sees_all
from products.models import Product


def may_export(user: Any, model: type[Model]) -> bool:
    """Whether `user` is staff who may see the rows of `model`, or export them without seeing them in the shop."""
    return sees_all(user, model) or is_staff_with(user, "export", model)


def may_import(user: Any) -> bool:
    """Whether `user` is staff who may change products. What a row needs in addition is decided for each of them."""
    return is_staff_with(user, "change", Product)


def permissions_of(user: Any) -> list[str]:
    """Those of the user's permissions that decide about rows."""
    return [permission for permission in PERMISSIONS if user.has_perm(permission)]

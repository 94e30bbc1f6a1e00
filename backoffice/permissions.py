"""Who may export what."""

from typing import Any

from django.db.models import Model

from productbackend.api.permissions import is_staff_with, sees_all


def may_export(user: Any, model: type[Model]) -> bool:
    """Whether `user` is staff who may see the rows of `model`, or export them without seeing them in the shop."""
    return sees_all(user, model) or is_staff_with(user, "export", model)

"""The sections of the admin's lists: the shop's own first, and the tables of its machinery last, as "System"."""

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.urls import reverse

# Apps whose tables are for administrators: groups, jobs with their schedules, and tokens.
SYSTEM = ("auth", "django_celery_beat", "token_blacklist")


class ShopSite(AdminSite):
    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Django's sections, those of SYSTEM as one; a page of one app has its own."""
        apps = super().get_app_list(request, app_label)
        system = [app for app in apps if app["app_label"] in SYSTEM]
        if app_label or not system:
            return apps
        section = {
            "name": "System",
            "app_label": "system",
            "app_url": reverse("admin:index", current_app=self.name),
            "has_module_perms": True,
            "models": [model for app in system for model in app["models"]],
        }
        return [*(app for app in apps if app not in system), section]

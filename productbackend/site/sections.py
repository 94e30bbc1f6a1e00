"""The sections of the admin's lists: by what a shop keeper does, and the tables of the machinery last, as "System"."""

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.urls import reverse
from django.utils.text import capfirst

ORDERS = "Orders"
CATALOGUE = "Catalogue"
DELIVERY_AND_TAX = "Delivery and tax"
PEOPLE = "Customers and staff"
SYSTEM = "System"
SECTIONS = (ORDERS, CATALOGUE, DELIVERY_AND_TAX, PEOPLE, SYSTEM)

# Tables of other packages: an admin of our own says its section and the list's name itself.
SYSTEM_APPS = ("django_celery_beat", "token_blacklist")
NAMES = {
    "CrontabSchedule": "Schedules by time of day",
    "ClockedSchedule": "Schedules for one time",
    "IntervalSchedule": "Schedules by interval",
    "SolarSchedule": "Schedules by the sun",
    "PeriodicTask": "Jobs",
    "OutstandingToken": "Tokens that were issued",
    "BlacklistedToken": "Tokens that were revoked",
}


def list_name(model_admin: Any) -> str:
    """The name of a list, as a shop keeper says it."""
    own: str = getattr(model_admin, "list_name", "")
    return own or NAMES.get(model_admin.model.__name__) or capfirst(str(model_admin.opts.verbose_name_plural))


class ShopSite(AdminSite):
    enable_nav_sidebar = False  # base_site.html has its own

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Django's lists by section instead of by app; a page of one app has those of the app."""
        apps = super().get_app_list(request, app_label)
        models = [model for app in apps for model in app["models"]]
        for model in models:
            model["name"] = list_name(self.get_model_admin(model["model"]))
        return apps if app_label else self._sections(models)

    def _sections(self, models: list[dict[str, Any]]) -> list[dict[str, Any]]:
        found: dict[str, list[dict[str, Any]]] = {name: [] for name in SECTIONS}
        for model in models:
            found[self._section_of(model["model"])].append(model)
        url = reverse("admin:index", current_app=self.name)
        return [
            {
                "name": name,
                "app_label": name.lower().replace(" ", "-"),
                "app_url": url,
                "has_module_perms": True,
                "models": sorted(rows, key=lambda row: (self._rank(row["model"]), row["name"])),
            }
            for name, rows in found.items()
            if rows
        ]

    def _section_of(self, model: Any) -> str:
        section: str = getattr(self.get_model_admin(model), "section", SYSTEM)
        return SYSTEM if model._meta.app_label in SYSTEM_APPS else section

    def _rank(self, model: Any) -> int:
        rank: int = getattr(self.get_model_admin(model), "rank", 1)
        return rank

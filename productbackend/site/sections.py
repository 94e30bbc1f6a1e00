"""The sections of the admin's lists: by what a shop keeper does, and the tables of the machinery last, as "System"."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.http import HttpRequest
from django.urls import reverse
from django.utils.text import capfirst

SYSTEM = "System"
SECTIONS = (*settings.ADMIN_SECTIONS, SYSTEM)

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


class Autocomplete(AutocompleteJsonView):
    """Options with the texts of the `option_texts` of their model's admin, if it has that, and not with their names."""

    texts: Mapping[int, str] = {}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        if option_texts := getattr(self.model_admin, "option_texts", None):
            self.texts = option_texts(context["object_list"])
        return context

    def serialize_result(self, obj: Any, to_field_name: str) -> dict[str, str]:
        result: dict[str, str] = super().serialize_result(obj, to_field_name)
        return {**result, "text": self.texts.get(obj.pk, result["text"])}


class ShopSite(AdminSite):
    enable_nav_sidebar = False  # base_site.html has its own

    def autocomplete_view(self, request: HttpRequest) -> Any:
        return Autocomplete.as_view(admin_site=self)(request)

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

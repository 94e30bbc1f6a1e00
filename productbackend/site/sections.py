"""The sections of the admin's lists: the shop's own first, and the tables of its machinery last, as "System"."""

from collections.abc import Mapping
from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.http import HttpRequest
from django.urls import reverse

# Apps whose tables are for administrators: groups, jobs with their schedules, and tokens.
SYSTEM = ("auth", "django_celery_beat", "token_blacklist")


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
    def autocomplete_view(self, request: HttpRequest) -> Any:
        return Autocomplete.as_view(admin_site=self)(request)

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

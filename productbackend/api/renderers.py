"""How answers are written, and which form a client gets."""

from typing import Any

from django.template.loader import render_to_string
from rest_framework import exceptions, negotiation, renderers

from productbackend.api import encoding

PROBLEM = "application/problem+json"


class Negotiation(negotiation.DefaultContentNegotiation):
    """DRF's, for which a client that takes problem documents takes JSON, and an unknown ?format= is a 406."""

    def get_accept_list(self, request: Any) -> list[str]:
        accepted = super().get_accept_list(request)
        return [item.replace(PROBLEM, "application/json") for item in accepted]

    def filter_renderers(self, renderers: Any, format: str) -> Any:
        found = [renderer for renderer in renderers if renderer.format == format]
        if not found:
            raise exceptions.NotAcceptable(available_renderers=renderers)
        return found


class JSONRenderer(renderers.JSONRenderer):
    """DRF's, with a faster encoder; what is to be indented, for a person, is left to DRF."""

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        if data is None or self.get_indent(accepted_media_type or "", renderer_context or {}) is not None:
            return super().render(data, accepted_media_type, renderer_context)
        return encoding.dumps(data)


class BrowsableRenderer(renderers.BrowsableAPIRenderer):
    """DRF's pages, without the forms that would list every product in a select box."""

    def get_rendered_html_form(self, data: Any, view: Any, method: str, request: Any) -> Any:
        # Deleting needs no fields; the others have the raw form, where JSON is typed.
        return super().get_rendered_html_form(data, view, method, request) if method in ("DELETE", "OPTIONS") else None

    def get_context(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        # Nothing here shows code whose colours would need a style in the page.
        return super().get_context(*args, **kwargs) | {"code_style": None}

    def get_breadcrumbs(self, request: Any) -> list[tuple[str, str]]:
        # DRF also asks for each path without its slash, which the last resort answers.
        return [(name, url) for name, url in super().get_breadcrumbs(request) if url.endswith("/")]

    def show_form_for_method(self, view: Any, method: str, request: Any, obj: Any) -> bool:
        try:
            return bool(super().show_form_for_method(view, method, request, obj))
        except exceptions.APIException:
            return False


class ProblemPageRenderer(BrowsableRenderer):
    """The template that a view names, for a person to read; errors and OPTIONS look as they do everywhere."""

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> Any:
        context = renderer_context or {}
        if context["response"].exception or context["request"].method not in ("GET", "HEAD"):
            return super().render(data, accepted_media_type, renderer_context)
        return render_to_string(context["view"].template_name, data)

"""Renderers of responses, and content negotiation."""

from typing import Any

from django.template.loader import render_to_string
from rest_framework import exceptions, negotiation, renderers
from rest_framework.request import Request
from rest_framework.response import Response

from productbackend.api import encoding, problems

PROBLEM = "application/problem+json"
ACCEPT_MAX = 1_000  # characters


class Negotiation(negotiation.DefaultContentNegotiation):
    """DRF's negotiation, in which application/problem+json accepts JSON, and an unknown ?format= is a 406.

    An `Accept` of more than 1,000 characters is ignored: DRF compares each of its types with each renderer.
    """

    def get_accept_list(self, request: Request) -> list[str]:
        if len(request.META.get("HTTP_ACCEPT", "")) > ACCEPT_MAX:
            return ["*/*"]
        accepted = super().get_accept_list(request)
        return [item.replace(PROBLEM, "application/json") for item in accepted]

    def filter_renderers(self, renderers: Any, format: str) -> Any:
        found = [renderer for renderer in renderers if renderer.format == format]
        if not found:
            raise exceptions.NotAcceptable(available_renderers=renderers)
        return found


class JSONRenderer(renderers.JSONRenderer):
    """DRF's JSON renderer with a faster encoder; DRF renders indented JSON."""

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        if data is None or self.get_indent(accepted_media_type or "", renderer_context or {}) is not None:
            return super().render(data, accepted_media_type, renderer_context)
        return encoding.dumps(data)


class BrowsableRenderer(renderers.BrowsableAPIRenderer):
    """DRF's browsable API without the forms that would list every product in a select box."""

    def get_rendered_html_form(self, data: Any, view: Any, method: str, request: Request) -> Any:
        # DELETE needs no fields; other methods have the raw data form.
        return super().get_rendered_html_form(data, view, method, request) if method in ("DELETE", "OPTIONS") else None

    def get_context(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        # Code highlighting would need an inline style, which the content security policy refuses.
        return super().get_context(*args, **kwargs) | {"code_style": None}

    def get_default_renderer(self, view: Any) -> JSONRenderer:
        return JSONRenderer()  # the page shows JSON, also for a view with other renderers

    def get_breadcrumbs(self, request: Request) -> list[tuple[str, str]]:
        # DRF also lists each path without its slash, which the catch-all route serves.
        return [(name, url) for name, url in super().get_breadcrumbs(request) if url.endswith("/")]

    def show_form_for_method(self, view: Any, method: str, request: Request, obj: Any) -> bool:
        try:
            return bool(super().show_form_for_method(view, method, request, obj))
        except exceptions.APIException:
            return False


class ProblemsMixin:
    """For a view without a JSON renderer: problems and responses to OPTIONS are JSON anyway.

    A client that prefers HTML gets the browsable page.
    """

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        if getattr(response, "exception", False) or (request.method == "OPTIONS" and hasattr(response, "data")):
            page = problems.prefers_html(request)
            request.accepted_renderer = BrowsableRenderer() if page else JSONRenderer()
            request.accepted_media_type = request.accepted_renderer.media_type
        return super().finalize_response(request, response, *args, **kwargs)  # type: ignore[misc]


class ProblemPageRenderer(BrowsableRenderer):
    """Renders the view's template as HTML; errors and OPTIONS use the browsable API."""

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> Any:
        context = renderer_context or {}
        if context["response"].exception or context["request"].method not in ("GET", "HEAD"):
            return super().render(data, accepted_media_type, renderer_context)
        return render_to_string(context["view"].template_name, data)

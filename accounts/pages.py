"""The pages of mailed links. GET shows a form and changes nothing, since mail scanners send GET; POST does it."""

from typing import Any

from django.template.loader import render_to_string
from rest_framework.parsers import BaseParser, FormParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from productbackend.api.limits import SmallBodyView
from productbackend.api.parsers import JSONParser
from productbackend.api.problems import prefers_html

DONE = "accounts/done.html"


class PageRenderer(BaseRenderer):
    """Renders a template, or the problem page for an error."""

    media_type = "text/html"
    format = "html"
    charset = "utf-8"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> str:
        response = (renderer_context or {})["response"]
        if response.exception:
            return render_to_string("problem.html", {"problem": data})
        if response.template_name is None:  # the response to OPTIONS
            return render_to_string(DONE, {"text": data["description"]})
        return render_to_string(response.template_name, data)


class PageView(SmallBodyView):
    """GET renders `page` with values of the query. POST accepts JSON, or the page's form and responds with a page."""

    authentication_classes: list[Any] = []
    parser_classes: list[type[BaseParser]] = [JSONParser, FormParser]
    page = ""
    page_fields: tuple[str, ...] = ()

    def get_renderers(self) -> list[BaseRenderer]:
        page, json = PageRenderer(), JSONRenderer()
        return [page] if self.request.method in ("GET", "HEAD") else [json, page]

    def parameters(self) -> dict[str, bool]:
        return dict.fromkeys(self.page_fields, False)

    def show(self, request: Request, **context: Any) -> Response:
        values = {name: request.query_params.get(name, "") for name in self.page_fields}
        return Response({**values, **context}, template_name=self.page)

    def done(self, request: Request, text: str) -> Response:
        """Return 204 for JSON, a page with `text` for a browser."""
        if request.accepted_renderer.format == "json":
            return Response(status=204)
        return Response({"text": text}, template_name=DONE)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        if response.exception and not prefers_html(request):  # an error is a page only if the client prefers HTML
            request.accepted_renderer, request.accepted_media_type = JSONRenderer(), JSONRenderer.media_type
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Cache-Control"] = "private, no-store"  # the URL contains a token
        response["Referrer-Policy"] = "no-referrer"
        return response

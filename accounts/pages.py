"""The two pages that links in mails lead to: a form whose button does it, for a scanner's GET must not."""

from typing import Any

from django.template.loader import render_to_string
from rest_framework.parsers import BaseParser, FormParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from productbackend.api.parsers import JSONParser

DONE = "accounts/done.html"


class PageRenderer(BaseRenderer):
    """A template of ours; what went wrong is shown as the problem's page."""

    media_type = "text/html"
    format = "html"
    charset = "utf-8"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> str:
        response = (renderer_context or {})["response"]
        if response.exception:
            return render_to_string("problem.html", {"problem": data})
        if response.template_name is None:  # what OPTIONS tells
            return render_to_string(DONE, {"text": data["description"]})
        return render_to_string(response.template_name, data)


class PageView(APIView):
    """GET shows `page`, filled from the query; POST takes JSON, or what the page's form sends and answers a page."""

    authentication_classes: list[Any] = []
    parser_classes: list[type[BaseParser]] = [JSONParser, FormParser]
    page = ""
    page_fields: tuple[str, ...] = ()

    def get_renderers(self) -> list[BaseRenderer]:
        page, json = PageRenderer(), JSONRenderer()
        return [page] if self.request.method in ("GET", "HEAD") else [json, page]

    def show(self, request: Request, **context: Any) -> Response:
        values = {name: request.query_params.get(name, "") for name in self.page_fields}
        return Response({**values, **context}, template_name=self.page)

    def done(self, request: Request, text: str) -> Response:
        """204 for a program, a page that says so for a person."""
        if request.accepted_renderer.format == "json":
            return Response(status=204)
        return Response({"text": text}, template_name=DONE)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Cache-Control"] = "private, no-store"  # the address holds a secret
        response["Referrer-Policy"] = "no-referrer"
        return response

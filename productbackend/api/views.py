"""Views that belong to no app: the root, the documentation, problem types, health, and the catch-all route."""

import functools
import threading
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.urls import Resolver404, resolve
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from productbackend.api import conditional
from productbackend.api.fields import HelpText
from productbackend.api.openapi.schema import ETAGS
from productbackend.api.parameters import KnownParameters
from productbackend.api.problem_types import PROBLEMS
from productbackend.api.renderers import ProblemPageRenderer, ProblemsMixin
from productbackend.observability import health
from productbackend.site.middleware import policy

NOT_FOUND = PROBLEMS["not-found"]
PART = HelpText("`ok` or `unavailable`.", "ok")


class OpenView(KnownParameters, APIView):
    """A public view, which ignores tokens."""

    tag = "service"
    permission_classes = [AllowAny]
    authentication_classes: list[Any] = []


class RootSerializer(serializers.Serializer):
    def get_fields(self) -> dict[str, Any]:
        return {
            name: serializers.URLField(help_text=HelpText("Its URL.", f"https://shop.example{path}"))
            for name, path in self.context["view"].links.items()
        }


class RootView(OpenView):
    """The shop's API. Follow a link, or read the documentation."""

    links: dict[str, str] = {}  # name -> path

    @extend_schema(operation_id="root", summary="List the resources", responses=RootSerializer)
    def get(self, request: Request) -> Response:
        return Response({name: request.build_absolute_uri(path) for name, path in self.links.items()})

    def get_serializer_context(self) -> dict[str, Any]:
        return {"view": self}  # spectacular asks for it

    def get_view_name(self) -> str:
        return "Product Backend"


DOCUMENT_PARAMETERS = ("lang", "version")  # of drf-spectacular's views, which pass them on; they change nothing here


class SchemaView(KnownParameters, ProblemsMixin, SpectacularAPIView):
    """The OpenAPI document, as YAML or JSON. Each process generates it once: it is the same for every client."""

    def parameters(self) -> dict[str, bool]:
        return dict.fromkeys(DOCUMENT_PARAMETERS, False)

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        renderer = request.accepted_renderer
        with generating:  # concurrent first requests wait, rather than generate it too
            body = rendered_document(renderer.format)
        charset = f"; charset={renderer.charset}" if renderer.charset else ""
        filename = f"{settings.SPECTACULAR_SETTINGS['TITLE']}.{renderer.format}"
        headers = {"Content-Disposition": f'inline; filename="{filename}"'}
        return HttpResponse(body, content_type=renderer.media_type + charset, headers=headers)


generating = threading.Lock()


@functools.cache
def document() -> dict[str, Any]:
    """Generate the OpenAPI document."""
    generated: dict[str, Any] = SchemaView.generator_class().get_schema(public=True)
    return generated


@functools.cache
def rendered_document(format: str) -> Any:
    """Render the OpenAPI document as "yaml" or "json"."""
    renderer = next(each for each in SchemaView.renderer_classes if each.format == format)
    return renderer().render(document())


class DocsView(KnownParameters, ProblemsMixin, SpectacularSwaggerSplitView):
    """Swagger UI. Its script is a separate file, and its stylesheet has images as data URLs."""

    def parameters(self) -> dict[str, bool]:
        return dict.fromkeys((*DOCUMENT_PARAMETERS, "script"), False)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Content-Security-Policy"] = policy(img_src="'self' data:")
        return response


class ProblemKindSerializer(serializers.Serializer):
    type = serializers.CharField(
        help_text=HelpText("The problem type: the URL of a page that explains it.", "/problems/not-found")
    )
    status = serializers.IntegerField(help_text=HelpText("Its HTTP status.", 404))
    title = serializers.CharField(help_text=HelpText("The title of the problem type.", NOT_FOUND.title))
    meaning = serializers.CharField(help_text=HelpText("When it occurs.", NOT_FOUND.meaning))
    remedy = serializers.CharField(help_text=HelpText("What a client can do.", NOT_FOUND.remedy))


class ProblemListSerializer(serializers.Serializer):
    """The shape of every list; this one has one page."""

    count = serializers.IntegerField(help_text=HelpText("The number of rows.", 25))
    count_is_exact = serializers.BooleanField(help_text="Always true.")
    next = serializers.CharField(allow_null=True, help_text=HelpText("Always null: there is one page.", None))
    previous = serializers.CharField(allow_null=True, help_text=HelpText("Always null: there is one page.", None))
    results = ProblemKindSerializer(many=True, help_text="The problem types.")


class ProblemListView(OpenView):
    """Every problem type of the API."""

    etags = ETAGS
    renderer_classes = [JSONRenderer, ProblemPageRenderer]
    template_name = "problem_kinds.html"

    @extend_schema(operation_id="problems_list", summary="List the problem types", responses=ProblemListSerializer)
    def get(self, request: Request) -> Response:
        rows = [self.describe(code) for code in sorted(PROBLEMS, key=lambda code: PROBLEMS[code].status)]
        page = {"count": len(rows), "count_is_exact": True, "next": None, "previous": None, "results": rows}
        return conditional.with_etag(request, Response(page), public=True)

    @staticmethod
    def describe(code: str) -> dict[str, Any]:
        row = PROBLEMS[code]
        return {
            "type": f"/problems/{code}",
            "status": row.status,
            "title": row.title,
            "meaning": row.meaning,
            "remedy": row.remedy,
        }


class ProblemView(OpenView):
    """What a problem type means, and what a client can do."""

    etags = ETAGS
    path_help = {"name": HelpText("The problem's name: the last part of its `type`.", "not-found")}
    renderer_classes = [JSONRenderer, ProblemPageRenderer]
    template_name = "problem_kind.html"

    @extend_schema(operation_id="problems_retrieve", summary="Read a problem type", responses=ProblemKindSerializer)
    def get(self, request: Request, name: str) -> Response:
        if name not in PROBLEMS:
            raise NotFound("There is no problem type of this name.")
        return conditional.with_etag(request, Response(ProblemListView.describe(name)), public=True)


class LiveSerializer(serializers.Serializer):
    status = serializers.CharField(help_text=HelpText("`ok`.", "ok"))


class LiveView(OpenView):
    """Liveness: the process responds."""

    checks_parameters = False

    @extend_schema(operation_id="health_live", summary="Check whether the process responds", responses=LiveSerializer)
    def get(self, request: Request) -> Response:
        return Response({"status": "ok"}, headers={"Cache-Control": "no-store"})


class ReadySerializer(serializers.Serializer):
    status = serializers.CharField(
        help_text=HelpText("`ok`; `degraded` without cache or broker; `unavailable` without the database.", "ok")
    )
    database = serializers.CharField(help_text=PART)
    cache = serializers.CharField(help_text=PART)
    broker = serializers.CharField(help_text=PART)


class ReadyView(OpenView):
    """Readiness: 503 if the database is unreachable; `degraded` if the cache or the broker is."""

    checks_parameters = False

    @extend_schema(
        operation_id="health_ready",
        summary="Check whether the service is ready",
        responses={200: ReadySerializer, 503: ReadySerializer},
    )
    def get(self, request: Request) -> Response:
        parts = health.check_components()
        status = "unavailable" if not parts["database"] else "ok" if all(parts.values()) else "degraded"
        statuses = {name: "ok" if good else "unavailable" for name, good in parts.items()}
        headers = {"Cache-Control": "no-store"} | ({"Retry-After": "5"} if status == "unavailable" else {})
        return Response({"status": status, **statuses}, status=503 if status == "unavailable" else 200, headers=headers)


class LastResortView(OpenView):
    """The catch-all route: redirects GET to the path with a slash if that exists; else a 404."""

    checks_parameters = False  # the path with a slash checks them

    schema = None

    def get_view_name(self) -> str:
        return "Not found"

    def get_view_description(self, html: bool = False) -> str:
        return "Every path ends in a slash. The root lists the resources."

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        path = f"{request.path_info}/"
        if request.path_info.endswith("/") or not self.exists(path):
            raise NotFound("There is no such path.")
        if request.method not in ("GET", "HEAD"):
            raise NotFound(f"There is no such path; use {path}.")

    @staticmethod
    def exists(path: str) -> bool:
        try:
            match = resolve(path)
        except (Resolver404, Http404):
            return False
        return getattr(match.func, "view_class", None) is not LastResortView

    def get(self, request: Request) -> HttpResponsePermanentRedirect:
        query = request.META.get("QUERY_STRING", "")
        return HttpResponsePermanentRedirect(f"{request.path}/{'?' if query else ''}{query}")

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Response:
        raise NotFound("There is no such path.")

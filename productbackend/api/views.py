"""The paths that belong to no app: the root, the problem pages, health, and the last resort."""

from typing import Any

from django.http import Http404, HttpResponsePermanentRedirect
from django.urls import Resolver404, resolve
from drf_spectacular.utils import extend_schema, inline_serializer
from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from productbackend import health
from productbackend.api import conditional, schema
from productbackend.api.problems import PROBLEMS
from productbackend.api.renderers import ProblemPageRenderer
from productbackend.middleware import policy

ROOT_LINKS = {
    "categories": "/categories/",
    "products": "/products/",
    "facets": "/products/facets/",
    "carts": "/carts/",
    "cart_items": "/cart-items/",
    "orders": "/orders/",
    "account": "/account/",
    "register": "/register/",
    "token": "/token/",
    "documentation": "/api-docs/",
    "schema": "/api-schema/",
    "problems": "/problems/",
    "health": "/health/ready/",
}


class OpenView(APIView):
    """A path that anyone may read, whatever token a client happens to send."""

    permission_classes = [AllowAny]
    authentication_classes: list[Any] = []


class RootView(OpenView):
    """The shop's API. Follow a link, or read the documentation."""

    @extend_schema(
        operation_id="root",
        summary="What there is",
        responses=inline_serializer("Root", {name: serializers.URLField() for name in ROOT_LINKS}),
    )
    def get(self, request: Request) -> Response:
        return Response({name: request.build_absolute_uri(path) for name, path in ROOT_LINKS.items()})

    def get_view_name(self) -> str:
        return "Product Backend"


class DocsView(SpectacularSwaggerSplitView):
    """Swagger UI. Its script is a file of its own, and its stylesheet holds small pictures as data."""

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Content-Security-Policy"] = policy(img_src="'self' data:")
        return response


class ProblemKindSerializer(serializers.Serializer):
    type = serializers.CharField()
    status = serializers.IntegerField()
    title = serializers.CharField()
    meaning = serializers.CharField()
    remedy = serializers.CharField()


class ProblemListSerializer(serializers.Serializer):
    """The shape of every list; this one is always whole."""

    count = serializers.IntegerField()
    count_is_exact = serializers.BooleanField()
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = ProblemKindSerializer(many=True)


class ProblemListView(OpenView):
    """Every kind of error that the API answers."""

    renderer_classes = [JSONRenderer, ProblemPageRenderer]
    template_name = "problem_kinds.html"

    @extend_schema(
        operation_id="problems_list",
        summary="List the kinds of errors",
        parameters=[schema.IF_NONE_MATCH],
        responses={200: ProblemListSerializer, 304: schema.NOT_MODIFIED},
    )
    def get(self, request: Request) -> Response:
        rows = [self.describe(code) for code in PROBLEMS]
        page = {"count": len(rows), "count_is_exact": True, "next": None, "previous": None, "results": rows}
        return conditional.tagged(request, Response(page), public=True)

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
    """What a kind of error means, and what to do about it."""

    renderer_classes = [JSONRenderer, ProblemPageRenderer]
    template_name = "problem_kind.html"

    @extend_schema(
        operation_id="problems_retrieve",
        summary="Read what a kind of error means",
        parameters=[schema.IF_NONE_MATCH],
        responses={200: ProblemKindSerializer, 304: schema.NOT_MODIFIED},
    )
    def get(self, request: Request, name: str) -> Response:
        if name not in PROBLEMS:
            raise NotFound("There is no problem of this name.")
        return conditional.tagged(request, Response(ProblemListView.describe(name)), public=True)


class LiveView(OpenView):
    """Whether the process answers at all."""

    @extend_schema(
        operation_id="health_live",
        summary="Whether the process answers",
        responses=inline_serializer("Live", {"status": serializers.CharField()}),
    )
    def get(self, request: Request) -> Response:
        return Response({"status": "ok"}, headers={"Cache-Control": "no-store"})


READY = inline_serializer(
    "Ready", {name: serializers.CharField() for name in ("status", "database", "cache", "broker")}
)


class ReadyView(OpenView):
    """Whether it can serve: 503 without the database; without cache or broker `degraded`."""

    @extend_schema(
        operation_id="health_ready",
        summary="Whether the service can serve",
        responses={200: READY, 503: READY},
    )
    def get(self, request: Request) -> Response:
        parts = health.parts()
        status = "unavailable" if not parts["database"] else "ok" if all(parts.values()) else "degraded"
        words = {name: "ok" if good else "unavailable" for name, good in parts.items()}
        headers = {"Cache-Control": "no-store"} | ({"Retry-After": "5"} if status == "unavailable" else {})
        return Response({"status": status, **words}, status=503 if status == "unavailable" else 200, headers=headers)


class LastResortView(OpenView):
    """Paths that no other route took: GET is sent to the path with a slash, where there is one."""

    schema = None

    def get_view_name(self) -> str:
        return "Nothing is here"

    def get_view_description(self, html: bool = False) -> str:
        return "Every path ends in a slash. The root links to what there is."

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        path = f"{request.path_info}/"
        if request.path_info.endswith("/") or not self.exists(path):
            raise NotFound("There is no such path.")
        if request.method not in ("GET", "HEAD"):
            raise NotFound(f"There is no such path; {path} is the right one.")

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

    def http_method_not_allowed(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        raise NotFound("There is no such path.")

"""The yardsticks of the catalogue: bare views, and a naive project."""

from collections.abc import Callable
from typing import Any

from django.core.cache import cache
from django.db.models import OuterRef, Subquery
from django.http import HttpRequest, HttpResponse
from django.urls import path
from orjson import dumps
from rest_framework import generics, serializers
from rest_framework.pagination import LimitOffsetPagination

from productbackend.urls import handler400, handler403, handler404, handler500, urlpatterns  # noqa: F401
from products.models import Category, Product, ProductImage

BYTES, MISSES = "yardstick:bytes", "yardstick:misses"
COLUMNS = ["id", "name", "slug", "sku", "brand", "description", "category_id", "price", "quantity", "rating"]
COLUMNS += ["is_active", "created_at", "updated_at"]
CATEGORY_NAME = Subquery(Category.objects.filter(pk=OuterRef("category_id")).order_by().values("name"))
PRODUCTS = Product.objects.filter(is_active=True).annotate(category_name=CATEGORY_NAME)
PRODUCTS = PRODUCTS.values(*COLUMNS, "category_name")
IMAGES = ProductImage.objects.filter(status="ready").order_by()
IMAGES = IMAGES.values("id", "product_id", "alt_text", "position", "status", "width", "height", "renditions")


class CountMisses:
    """Middleware after the page cache: counts the requests that it did not serve."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith("/products/"):
            cache.incr(MISSES)
        return self.get_response(request)


def cached_bytes(request: HttpRequest) -> HttpResponse:
    return HttpResponse(cache.get(BYTES), content_type="application/json")


def bare_list(request: HttpRequest) -> HttpResponse:
    """The list's queries, built once, as dicts, and an encoder. Without page links, ETag and image URLs."""
    count = PRODUCTS.values("pk").order_by()[:1001].count()
    rows = list(PRODUCTS.order_by("name_key", "id")[:21])[:20]
    images: dict[int, list[Any]] = {row["id"]: [] for row in rows}
    for image in IMAGES.filter(product_id__in=list(images)):
        images[image["product_id"]].append(image)
    for row in rows:
        row["images"] = images[row["id"]]
    body = dumps({"count": count, "next": None, "previous": None, "results": rows}, default=str)
    return HttpResponse(body, content_type="application/json")


class NaiveSerializer(serializers.ModelSerializer):
    category_name = serializers.CharField(source="category.name", default=None)

    class Meta:
        model = Product
        fields = [*COLUMNS[:6], "category", "category_name", *COLUMNS[7:]]


class NaiveList(generics.ListAPIView):
    """LimitOffset pagination with a COUNT, a query for each row's category, no cache."""

    queryset = Product.objects.filter(is_active=True).order_by("name_key", "id")
    serializer_class = NaiveSerializer
    pagination_class = type("Pagination", (LimitOffsetPagination,), {"default_limit": 20})
    permission_classes: list[Any] = []
    authentication_classes: list[Any] = []
    filter_backends: list[Any] = []


urlpatterns = [
    path("bare/bytes/", cached_bytes),
    path("bare/list/", bare_list),
    path("naive/products/", NaiveList.as_view()),
    *urlpatterns,
]

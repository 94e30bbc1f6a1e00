"""The catalogue over HTTP."""

from dataclasses import asdict
from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from productbackend.api import conditional, pagination
from productbackend.api.fields import HelpText
from productbackend.api.openapi import schema
from productbackend.api.parsers import JSONParser, MultiPartParser
from productbackend.api.permissions import StaffWrites, may_see_all
from productbackend.api.throttling import AnonymousReadThrottle
from productbackend.api.viewsets import ObjectViewSet
from productbackend.database import replica
from productbackend.errors import DomainError
from productbackend.text.comparison import normalized
from products import catalogue, categories
from products.api.serializers import (
    CategoryNodeSerializer,
    CategorySerializer,
    FacetsSerializer,
    ProductSerializer,
    ProductUploadSerializer,
    SuggestionQuerySerializer,
    SuggestionsSerializer,
)
from products.models import Category, Family, FormerSlug, Product, Suggestion
from products.reads import facets, query
from products.reads.page import page
from products.reads.rows import ProductWriter, product_row, product_rows, thumbs
from products.search import suggestions

SLUG_PATH = "by-slug/(?P<slug>[^/]{1,220})"


class ProductPagination(pagination.KeysetPagination):
    """Describes the list of products, which the view reads by itself."""

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        found = super().get_paginated_response_schema(schema)
        relaxed = "true: no product has every word of the search, and these have some. Otherwise omitted."
        found["properties"]["search_relaxed"] = {"type": "boolean", "const": True, "description": relaxed}
        return found


def read_by_slug(summary: str, answer: Any) -> Any:
    moved = OpenApiResponse(description="A former slug: `Location` has the present one.")
    return extend_schema(summary=summary, responses={200: answer, 308: moved})


class CatalogueViewSet(ObjectViewSet):
    """What the views of categories and products have in common."""

    permission_model: type[Category | Family | Product]
    path_help = {
        "id": HelpText("The object's id.", 1),
        "slug": HelpText("The slug of the object, percent-encoded in UTF-8.", "walking-boot"),
    }
    permission_classes = [StaffWrites]
    throttle_classes = [AnonymousReadThrottle]
    throttle_scope = "catalogue"
    ordering = query.ORDERING

    @replica.reading
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return conditional.with_etag(request, super().retrieve(request, *args, **kwargs), public=True)

    def retrieve_by_slug(self, request: Request, slug: str) -> Response:
        """The object with this slug; a 308 to its present one if it had this slug before."""
        slug = normalized("NFC", slug)
        row = self.get_queryset().order_by().filter(slug=slug).first()
        if row is not None:
            return conditional.with_etag(request, Response(self.get_serializer(row).data), public=True)
        former = FormerSlug.objects.filter(kind=self.permission_model._meta.model_name, slug=slug).first()
        if former is None:
            raise Http404
        row = get_object_or_404(self.get_queryset(), pk=former.object_id)
        location = self.reverse_action("by-slug", args=[row.slug])
        return conditional.with_cache_control(
            request, Response(status=308, headers={"Location": location}), public=True
        )


@extend_schema_view(
    list=extend_schema(summary="List categories"),
    retrieve=extend_schema(summary="Read a category"),
    create=extend_schema(summary="Create a category"),
    update=extend_schema(summary="Update a category; omitted fields keep their values"),
    partial_update=extend_schema(summary="Change or move a category"),
    destroy=extend_schema(summary="Delete an empty category", responses={204: None, 409: schema.problem("in-use")}),
)
class CategoryViewSet(CatalogueViewSet):
    """The tree of categories."""

    tag = "categories"
    queryset = Category.objects.all()
    serializer_class = CategorySerializer
    permission_model = Category
    filterset_class = query.CategoryFilter
    ordering_fields = {"name": "name_key", "id": "id"}

    @replica.reading
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return conditional.with_etag(request, super().list(request, *args, **kwargs), public=True)

    @read_by_slug("Read a category by its slug", CategorySerializer)
    @action(detail=False, url_path=SLUG_PATH, url_name="by-slug")
    @replica.reading
    def by_slug(self, request: Request, slug: str) -> Response:
        """A former slug is answered with a redirect, until another object takes it."""
        return self.retrieve_by_slug(request, slug)

    @extend_schema(summary="Read the whole tree of categories", responses=CategoryNodeSerializer(many=True))
    @action(detail=False, pagination_class=None, filter_backends=[])
    @replica.reading
    def tree(self, request: Request) -> Response:
        """All categories, each with its children. Siblings are ordered by `position`, then by name."""
        return conditional.with_etag(request, Response(categories.tree()), public=True)

    def add(self, fields: dict[str, Any]) -> Category:
        return categories.create(**fields)

    def change(self, pk: int, fields: dict[str, Any]) -> Category:
        return categories.change(category_id=pk, precondition=self.precondition(), **fields)

    def perform_destroy(self, instance: Category) -> None:
        categories.delete(category_id=instance.pk, precondition=self.precondition())


@extend_schema_view(
    list=extend_schema(summary="List, filter and search products"),
    retrieve=extend_schema(summary="Read a product"),
    create=extend_schema(
        summary="Create a product, as JSON or as multipart with one picture",
        request={"application/json": ProductSerializer, "multipart/form-data": ProductUploadSerializer},
        responses={201: ProductSerializer, 400: schema.problem("validation-error", "malformed", "invalid-image")},
    ),
    update=extend_schema(summary="Update a product; omitted fields keep their values"),
    partial_update=extend_schema(summary="Change a product, or its stock"),
    destroy=extend_schema(summary="Delete a product and its pictures; orders keep their lines"),
)
class ProductViewSet(CatalogueViewSet):
    """The products of the shop."""

    queryset = Product.objects.all()
    serializer_class = ProductSerializer
    permission_model = Product
    pagination_class = ProductPagination
    filterset_class = query.ProductFilter
    ordering_fields = query.ORDERINGS

    def parameters(self) -> dict[str, bool]:
        if self.action == "suggestions":
            return {"q": False}
        return query.FILTER_PARAMETERS if self.action == "facets" else super().parameters()

    def get_parsers(self) -> list[Any]:
        parsers: list[Any] = [JSONParser()]
        return [*parsers, MultiPartParser()] if "post" in getattr(self, "action_map", {}) else parsers

    def get_queryset(self) -> QuerySet[Any]:
        """Rows, not models: the view does not write to them."""
        return product_rows(include_hidden=may_see_all(self.request, Product)).all()

    def get_object(self) -> Any:
        row = product_row(int(self.kwargs["pk"]), include_hidden=may_see_all(self.request, Product))
        if row is None:
            raise Http404
        return row

    @replica.reading
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        found = page(query.parse(request))
        response = pagination.respond(request, found, ProductWriter(request).write(found.rows))
        return conditional.with_etag(request, response, public=True)

    @extend_schema(
        summary="Count products by category, brand, price and rating", filters=True, responses=FacetsSerializer
    )
    @action(detail=False, pagination_class=None)
    @replica.reading
    def facets(self, request: Request) -> Response:
        """Counts for the list's filters and search. Each facet is counted without its own filter."""
        found = facets.count(query.parse(request, is_paged=False))
        return conditional.with_etag(request, Response(FacetsSerializer(found).data), public=True)

    @read_by_slug("Read a product by its slug", ProductSerializer)
    @action(detail=False, url_path=SLUG_PATH, url_name="by-slug")
    @replica.reading
    def by_slug(self, request: Request, slug: str) -> Response:
        """A former slug is answered with a redirect, until another object takes it."""
        return self.retrieve_by_slug(request, slug)

    @extend_schema(
        summary="Suggest products, categories and brands",
        parameters=[SuggestionQuerySerializer],
        responses=SuggestionsSerializer,
        filters=False,
    )
    @action(detail=False, pagination_class=None)
    @replica.reading
    def suggestions(self, request: Request) -> Response:
        """By the beginnings of words in their names: at most three categories and two brands, then products."""
        given = SuggestionQuerySerializer(data=request.query_params)
        given.is_valid(raise_exception=True)
        found = suggestions.find(given.validated_data["q"])
        images = thumbs(request, [each.id for each in found if each.kind == Suggestion.Kind.PRODUCT and each.id])
        results = [
            asdict(each) | {"image": images.get(each.id or 0) if each.kind == Suggestion.Kind.PRODUCT else None}
            for each in found
        ]
        return conditional.with_etag(request, Response({"results": results}), public=True)

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        # As a plain dict: in a form DRF reads an absent boolean as false.
        form = request.data.dict() if hasattr(request.data, "dict") else None
        serializer = ProductUploadSerializer if form is not None else ProductSerializer
        body = serializer(data=form if form is not None else request.data, context=self.get_serializer_context())
        body.is_valid(raise_exception=True)
        fields = dict(body.validated_data)
        product = catalogue.create(picture=fields.pop("image", None), **fields)
        return self.written(self.current(product.pk), status=201)

    def change(self, pk: int, fields: dict[str, Any]) -> Any:
        catalogue.change(product_id=pk, user=self.request.user, precondition=self.precondition(), **fields)
        return self.current(pk)

    def perform_destroy(self, instance: Product) -> None:
        catalogue.delete(product_id=instance.pk, precondition=self.precondition())

    def represent(self, row: Product) -> Any:
        return super().represent(self.get_queryset().get(pk=row.pk))

    def current(self, product_id: int) -> Any:
        product = self.get_queryset().filter(pk=product_id).first()
        if product is None:
            raise DomainError("not-found", "The product was deleted by another request.")
        return product

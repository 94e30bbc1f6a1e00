"""The catalogue over HTTP."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from productbackend import replica
from productbackend.api import conditional, schema
from productbackend.api.parsers import JSONParser
from productbackend.api.permissions import StaffWrites
from products import catalogue, categories, facets
from products.filters import CategoryFilter, ProductFilter
from products.models import Category, Product
from products.product_writer import ProductWriter, product_rows, sees_all
from products.serializers import CategorySerializer, FacetsSerializer, ProductSerializer, ProductUploadSerializer

READ_PARAMETERS = [schema.IF_NONE_MATCH]
READ_RESPONSES: dict[int, Any] = {304: schema.NOT_MODIFIED}
DELETED = OpenApiResponse(description="Deleted.")


@extend_schema_view(
    list=extend_schema(
        summary="List categories",
        parameters=READ_PARAMETERS,
        responses={200: CategorySerializer(many=True), **READ_RESPONSES},
    ),
    retrieve=extend_schema(
        summary="Read a category", parameters=READ_PARAMETERS, responses={200: CategorySerializer, **READ_RESPONSES}
    ),
    create=extend_schema(summary="Make a category"),
    update=extend_schema(summary="Write a category; what is left out keeps its value"),
    partial_update=extend_schema(summary="Change a category, or move it; never below itself"),
    destroy=extend_schema(
        summary="Delete a category that nothing is in", responses={204: DELETED, 409: schema.problem("in-use")}
    ),
)
class CategoryViewSet(viewsets.ModelViewSet):
    """The tree that products stand in."""

    queryset = Category.objects.all()
    serializer_class = CategorySerializer
    permission_classes = [StaffWrites]
    permission_model = Category
    filterset_class = CategoryFilter
    ordering_fields = {"name": "name_key", "id": "id"}
    ordering = "name"

    @replica.reading
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return conditional.tagged(request, super().list(request, *args, **kwargs), public=True)

    @replica.reading
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return conditional.tagged(request, super().retrieve(request, *args, **kwargs), public=True)

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return self._written(request, categories.create(**serializer.validated_data), status=201)

    def update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        category = self.get_object()
        serializer = self.get_serializer(category, data=request.data, partial=kwargs.get("partial", False))
        serializer.is_valid(raise_exception=True)
        return self._written(request, categories.change(category_id=category.pk, **serializer.validated_data))

    def perform_destroy(self, instance: Category) -> None:
        categories.delete(category_id=instance.pk)

    def _written(self, request: Request, category: Category, status: int = 200) -> Response:
        response = Response(self.get_serializer(category).data, status=status)
        if status == 201:
            response["Location"] = request.build_absolute_uri(f"/categories/{category.pk}/")
        return conditional.tagged(request, response)


IF_MATCH_RESPONSES: dict[int, Any] = {412: schema.problem("precondition-failed")}


@extend_schema_view(
    list=extend_schema(
        summary="List, filter and search products",
        parameters=READ_PARAMETERS,
        responses={200: ProductSerializer(many=True), **READ_RESPONSES},
    ),
    retrieve=extend_schema(
        summary="Read a product", parameters=READ_PARAMETERS, responses={200: ProductSerializer, **READ_RESPONSES}
    ),
    create=extend_schema(
        summary="Make a product, as JSON or as multipart with one picture",
        request={"application/json": ProductSerializer, "multipart/form-data": ProductUploadSerializer},
        responses={201: ProductSerializer, 400: schema.problem("validation-error", "malformed", "invalid-image")},
    ),
    update=extend_schema(
        summary="Write a product; what is left out keeps its value",
        parameters=[schema.IF_MATCH],
        responses={200: ProductSerializer, **IF_MATCH_RESPONSES},
    ),
    partial_update=extend_schema(
        summary="Change a product, or its stock",
        parameters=[schema.IF_MATCH],
        responses={200: ProductSerializer, **IF_MATCH_RESPONSES},
    ),
    destroy=extend_schema(
        summary="Delete a product and its pictures; orders keep their lines",
        parameters=[schema.IF_MATCH],
        responses={204: DELETED, **IF_MATCH_RESPONSES},
    ),
)
class ProductViewSet(viewsets.ModelViewSet):
    """What is for sale."""

    queryset = Product.objects.all()
    serializer_class = ProductSerializer
    permission_classes = [StaffWrites]
    permission_model = Product
    filterset_class = ProductFilter
    ordering_fields = {
        "name": "name_key",
        "price": "price",
        "rating": "rating",
        "quantity": "quantity",
        "created_at": "created_at",
        "id": "id",
    }
    ordering = "name"

    def get_parsers(self) -> list[Any]:
        parsers: list[Any] = [JSONParser()]
        return [*parsers, MultiPartParser()] if "post" in getattr(self, "action_map", {}) else parsers

    @property
    def is_ranked(self) -> bool:
        return bool(self.request.query_params.get("search"))

    def get_queryset(self) -> QuerySet[Any]:
        """Rows and not models: nothing here writes to them."""
        return product_rows(of_all=sees_all(self.request.user)).all()

    @replica.reading
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        rows: Any = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        page = self.get_paginated_response(ProductWriter(request).write(rows))
        return conditional.tagged(request, page, public=True)

    @replica.reading
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return conditional.tagged(request, super().retrieve(request, *args, **kwargs), public=True)

    @extend_schema(
        summary="Count products by category, brand, price and rating",
        parameters=READ_PARAMETERS,
        filters=True,
        responses={200: FacetsSerializer, **READ_RESPONSES},
    )
    @action(detail=False, pagination_class=None)
    @replica.reading
    def facets(self, request: Request) -> Response:
        """Counts by category, brand, price and rating, for the list's filters and search."""
        found = facets.count(self.filter_queryset(self.get_queryset()))
        return conditional.tagged(request, Response(FacetsSerializer(found).data), public=True)

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        # As a plain dict: a form's absent checkbox would read as false.
        form = request.data.dict() if hasattr(request.data, "dict") else None
        serializer = ProductUploadSerializer if form is not None else ProductSerializer
        shape = serializer(data=form if form is not None else request.data, context=self.get_serializer_context())
        shape.is_valid(raise_exception=True)
        fields = dict(shape.validated_data)
        product = catalogue.create(picture=fields.pop("image", None), **fields)
        response = self._written(request, product.pk, status=201)
        response["Location"] = request.build_absolute_uri(f"/products/{product.pk}/")
        return response

    def update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        product = self.get_object()
        serializer = self.get_serializer(product, data=request.data, partial=kwargs.get("partial", False))
        serializer.is_valid(raise_exception=True)
        catalogue.change(
            product_id=product.pk, user=request.user, inspect=self._require_match, **serializer.validated_data
        )
        return self._written(request, product.pk)

    def perform_destroy(self, instance: Product) -> None:
        catalogue.delete(product_id=instance.pk, inspect=self._require_match)

    def _require_match(self, product: Product) -> None:
        """Compare If-Match, inside the writing transaction, with the product as this reader sees it."""
        if "If-Match" in self.request.headers:
            current = self.get_serializer(self.get_queryset().get(pk=product.pk)).data
            conditional.require_match(self.request, current, "The product has changed since you read it.")

    def _written(self, request: Request, product_id: int, status: int = 200) -> Response:
        product = self.get_queryset().get(pk=product_id)
        return conditional.tagged(request, Response(self.get_serializer(product).data, status=status))

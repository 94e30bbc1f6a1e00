"""Families over HTTP."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from productbackend.api import conditional
from productbackend.api.permissions import is_staff_with, may_see_all
from productbackend.database import replica
from productbackend.errors import DomainError
from products.api.views import SLUG_PATH, CatalogueViewSet, read_by_slug
from products.families import variants, writing
from products.families.reading import FamilyWriter, families
from products.families.serializers import FamilySerializer, NewVariantsSerializer
from products.models import Family, Product
from products.reads import query


@extend_schema_view(
    list=extend_schema(summary="List families"),
    retrieve=extend_schema(summary="Read a family with all of its products"),
    create=extend_schema(summary="Create a family, without products"),
    update=extend_schema(summary="Update a family; omitted fields keep their values"),
    partial_update=extend_schema(summary="Change a family, rename its axes, or order its products"),
    destroy=extend_schema(summary="Delete a family; its products stay, without options"),
)
class FamilyViewSet(CatalogueViewSet):
    """Products that differ by size, colour and the like. A product joins by its own `family` and `options`."""

    tag = "families"
    permission_action: str | None = None  # of the operation, if it is not that of its method
    queryset = Family.objects.all()
    serializer_class = FamilySerializer
    permission_model = Family
    filterset_class = query.FamilyFilter
    ordering_fields = {"name": "name_key", "created_at": "created_at", "id": "id"}

    def get_queryset(self) -> QuerySet[Any]:
        return families(include_hidden=may_see_all(self.request, Product))

    @replica.reading
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        rows = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        response = self.get_paginated_response(FamilyWriter(request).write(rows or []))
        return conditional.with_etag(request, response, public=True)

    @read_by_slug("Read a family by its slug", FamilySerializer)
    @action(detail=False, url_path=SLUG_PATH, url_name="by-slug")
    @replica.reading
    def by_slug(self, request: Request, slug: str) -> Response:
        """A former slug is answered with a redirect, until another family takes it."""
        return self.retrieve_by_slug(request, slug)

    @extend_schema(
        summary="Create the combinations of options that the family lacks",
        request=NewVariantsSerializer,
        responses=FamilySerializer,
    )
    @action(detail=True, methods=["post"], url_path="variants", permission_action="change")
    def variants(self, request: Request, pk: str) -> Response:
        """All of them or none. A combination that a product has is left as it is; the answer is the family.

        Besides the permission to change families it takes the one to add products.
        """
        if not is_staff_with(request.user, "add", Product):
            raise DomainError("forbidden", "You may not add products.")
        body = NewVariantsSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        variants.make_missing(family_id=int(pk), **body.validated_data)
        return self.written(self.current(int(pk)))

    def add(self, fields: dict[str, Any]) -> Any:
        return self.current(writing.create(**fields).pk)

    def change(self, pk: int, fields: dict[str, Any]) -> Any:
        writing.change(family_id=pk, precondition=self.precondition(), **fields)
        return self.current(pk)

    def perform_destroy(self, instance: Any) -> None:
        writing.delete(family_id=instance.pk, precondition=self.precondition())

    def current(self, family_id: int) -> Any:
        family = self.get_queryset().filter(pk=family_id).first()
        if family is None:
            raise DomainError("not-found", "The family was deleted by another request.")
        return family

"""Delivery methods over HTTP."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from delivery import methods
from delivery.filters import DeliveryMethodFilter
from delivery.models import DeliveryMethod
from delivery.serializers import DeliveryMethodSerializer
from productbackend.api import conditional
from productbackend.api.permissions import StaffWrites, may_see_all
from productbackend.api.throttling import AnonymousReadThrottle
from productbackend.api.viewsets import ObjectViewSet


@extend_schema_view(
    list=extend_schema(summary="List the delivery methods"),
    retrieve=extend_schema(summary="Read a delivery method"),
    create=extend_schema(summary="Create a delivery method"),
    update=extend_schema(summary="Update a delivery method; omitted fields keep their values"),
    partial_update=extend_schema(summary="Change a delivery method"),
    destroy=extend_schema(summary="Delete a delivery method; orders keep its name and price"),
)
class DeliveryMethodViewSet(ObjectViewSet):
    """The ways in which orders reach customers. Inactive ones are for staff only."""

    queryset = DeliveryMethod.objects.all()
    serializer_class = DeliveryMethodSerializer
    permission_model = DeliveryMethod
    permission_classes = [StaffWrites]
    throttle_classes = [AnonymousReadThrottle]
    throttle_scope = "catalogue"
    filterset_class = DeliveryMethodFilter
    ordering_fields = {"position": "position", "code": "code", "id": "id"}
    ordering = "position"

    def get_queryset(self) -> QuerySet[DeliveryMethod]:
        rows = DeliveryMethod.objects.all()
        return rows if may_see_all(self.request, DeliveryMethod) else rows.filter(is_active=True)

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return conditional.with_etag(request, super().list(request, *args, **kwargs))

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return conditional.with_etag(request, super().retrieve(request, *args, **kwargs))

    def add(self, fields: dict[str, Any]) -> DeliveryMethod:
        return methods.create(**fields)

    def change(self, pk: int, fields: dict[str, Any]) -> DeliveryMethod:
        return methods.change(method_id=pk, precondition=self.precondition(), **fields)

    def perform_destroy(self, instance: DeliveryMethod) -> None:
        methods.delete(method_id=instance.pk, precondition=self.precondition())

"""Tax rates over HTTP."""

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from productbackend.api import conditional
from productbackend.api.permissions import StaffOnly
from productbackend.api.viewsets import ObjectViewSet
from taxes import rates
from taxes.filters import TaxRateFilter
from taxes.models import TaxRate
from taxes.serializers import TaxRateSerializer


@extend_schema_view(
    list=extend_schema(summary="List the tax rates"),
    retrieve=extend_schema(summary="Read a tax rate"),
    create=extend_schema(summary="Create a tax rate"),
    update=extend_schema(summary="Update a tax rate; omitted fields keep their values"),
    partial_update=extend_schema(summary="Change a tax rate"),
    destroy=extend_schema(summary="Delete a tax rate; orders keep their tax"),
)
class TaxRateViewSet(ObjectViewSet):
    """The tax rates by country and class. A rate holds from its first day until a later one begins."""

    queryset = TaxRate.objects.all()
    serializer_class = TaxRateSerializer
    permission_model = TaxRate
    permission_classes = [StaffOnly]
    filterset_class = TaxRateFilter
    ordering_fields = {"country": "country", "tax_class": "tax_class", "valid_from": "valid_from", "id": "id"}
    ordering = "country,tax_class,valid_from"

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return conditional.with_etag(request, super().list(request, *args, **kwargs))

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return conditional.with_etag(request, super().retrieve(request, *args, **kwargs))

    def add(self, fields: dict[str, Any]) -> TaxRate:
        return rates.create(**fields)

    def change(self, pk: int, fields: dict[str, Any]) -> TaxRate:
        return rates.change(rate_id=pk, precondition=self.precondition(), **fields)

    def perform_destroy(self, instance: TaxRate) -> None:
        rates.delete(rate_id=instance.pk, precondition=self.precondition())

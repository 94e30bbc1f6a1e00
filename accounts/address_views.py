"""The address book over HTTP."""

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import viewsets
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import address_book
from accounts.models import Address
from accounts.serializers import AddressSerializer
from accounts.views import current_user
from productbackend.api import conditional
from productbackend.api.fields import HelpText
from productbackend.api.openapi import schema
from productbackend.api.parameters import KnownParameters
from productbackend.api.postal_addresses import postal_address


@extend_schema_view(
    list=extend_schema(summary="List the addresses of the user's address book"),
    retrieve=extend_schema(summary="Read an address"),
    create=extend_schema(summary="Add an address; a new default replaces the previous one"),
    update=extend_schema(summary="Update an address; omitted optional fields keep their values"),
    partial_update=extend_schema(summary="Change an address"),
    destroy=extend_schema(summary="Delete an address; carts and orders have copies of their own"),
)
class AddressViewSet(KnownParameters, viewsets.ModelViewSet):
    """The user's own address book."""

    etags = schema.ETAGS
    queryset = Address.objects.all()
    serializer_class = AddressSerializer
    permission_classes = [IsAuthenticated]
    path_help = {"id": HelpText("The address's id.", 4)}
    ordering_fields = {"id": "id"}
    ordering = "id"

    def get_queryset(self) -> QuerySet[Address]:
        return Address.objects.filter(user=self.request.user.pk)

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return conditional.with_etag(request, super().list(request, *args, **kwargs))

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return conditional.with_etag(request, super().retrieve(request, *args, **kwargs))

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        data = self._validated()
        row = address_book.add(
            user=current_user(request), address=postal_address(data), is_default=data.get("is_default", False)
        )
        response = Response(AddressSerializer(row).data, status=201)
        response["Location"] = request.build_absolute_uri(f"/account/addresses/{row.pk}/")
        return conditional.with_etag(request, response)

    def update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        row = self.get_object()
        data = self._validated(partial=kwargs.get("partial", False))
        row = address_book.change(
            user=current_user(request), address_id=row.pk, precondition=self._precondition(), **data
        )
        return conditional.with_etag(request, Response(AddressSerializer(row).data))

    def perform_destroy(self, instance: Address) -> None:
        address_book.delete(user=current_user(self.request), address_id=instance.pk, precondition=self._precondition())

    def _validated(self, *, partial: bool = False) -> dict[str, Any]:
        """Return the validated body. Raises ValidationError."""
        serializer = AddressSerializer(data=self.request.data, partial=partial)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def _precondition(self) -> Callable[[Address], None]:
        return conditional.precondition(self.request, lambda row: AddressSerializer(row).data, "address")

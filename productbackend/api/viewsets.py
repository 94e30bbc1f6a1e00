"""The base of viewsets of objects that staff write."""

from collections.abc import Callable
from typing import Any

from django.db.models import Model
from rest_framework import viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from productbackend.api import conditional
from productbackend.api.fields import HelpText
from productbackend.api.openapi import schema
from productbackend.api.parameters import KnownParameters


class ObjectViewSet(KnownParameters, viewsets.ModelViewSet):
    """Objects with an ETag, which domain functions write: they call the precondition in their transaction."""

    permission_model: type[Model]
    path_help = {"id": HelpText("The object's id.", 1)}
    etags = schema.ETAGS

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return self.written(self.add(serializer.validated_data), status=201)

    def update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        row = self.get_object()
        serializer = self.get_serializer(row, data=request.data, partial=kwargs.get("partial", False))
        serializer.is_valid(raise_exception=True)
        return self.written(self.change(row.pk, serializer.validated_data))

    def add(self, fields: dict[str, Any]) -> Any:
        """Create an object, and return it as it is shown."""
        raise NotImplementedError

    def change(self, pk: int, fields: dict[str, Any]) -> Any:
        """Write fields of an object, and return it as it is shown."""
        raise NotImplementedError

    def represent(self, row: Any) -> Any:
        return self.get_serializer(row).data

    def precondition(self) -> Callable[[Any], None]:
        """Compares If-Match with the object as this client sees it."""
        return conditional.precondition(self.request, self.represent, str(self.permission_model._meta.verbose_name))

    def written(self, row: Any, status: int = 200) -> Response:
        response = Response(self.get_serializer(row).data, status=status)
        if status == 201:
            response["Location"] = self.request.build_absolute_uri(f"{self.request.path}{row.pk}/")
        return conditional.with_etag(self.request, response)

"""Imports over HTTP: upload a file, read what the check says, run it."""

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from backoffice.imports import starting, uploading
from backoffice.imports.models import BULK, Import, ImportRow
from backoffice.imports.serializers import ImportRowSerializer, ImportSerializer, ImportUploadSerializer
from backoffice.permissions import may_import, permissions_of
from productbackend.api import conditional, pagination
from productbackend.api.fields import HelpText
from productbackend.api.filters import FilterSet
from productbackend.api.openapi.schema import problem
from productbackend.api.parameters import KnownParameters
from productbackend.api.parsers import MultiPartParser

ID = {"id": HelpText("The import's id.", 3)}


class MayImport(BasePermission):
    def has_permission(self, request: Request, view: Any) -> bool:
        if request.method not in view.allowed_methods:
            return True  # a 405 for every user
        return may_import(request.user)


class ImportView(KnownParameters, GenericAPIView):
    """The base of these views."""

    tag = "backoffice"
    etags = {"GET"}
    queryset: QuerySet[Any] = Import.objects.exclude(kind=BULK)  # which is the admin's alone
    serializer_class: type[Any] = ImportSerializer
    permission_classes = [MayImport]
    filter_backends: list[Any] = []

    def one(self, row: Import, status: int = 200) -> Response:
        return conditional.with_etag(self.request, Response(self.get_serializer(row).data, status=status))


@extend_schema_view(
    get=extend_schema(operation_id="imports_list", summary="List the imports", responses=ImportSerializer(many=True)),
    post=extend_schema(
        operation_id="imports_create",
        summary="Upload a file of products or of stock",
        request={"multipart/form-data": ImportUploadSerializer},
        responses={201: ImportSerializer},
    ),
)
class ImportList(ImportView):
    """The imports of the last 30 days, the newest first, and the upload of a file."""

    parser_classes = [MultiPartParser]
    upload_setting = "IMPORT_MAX_BYTES"
    ordering_fields = {"created_at": "created_at", "id": "id"}
    ordering = "-id"

    def parameters(self) -> dict[str, bool]:
        return pagination.PARAMETERS if self.request.method in ("GET", "HEAD") else {}

    def get(self, request: Request) -> Response:
        rows = self.paginate_queryset(self.get_queryset())
        page = self.get_paginated_response(self.get_serializer(rows, many=True).data)
        return conditional.with_etag(request, page)

    def post(self, request: Request) -> Response:
        """Workers check the file, which changes nothing: read the import until it is `checked`.

        A file without a `sku` column, or with a column that the kind does not have, is refused immediately.
        """
        serializer = ImportUploadSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        given = dict(serializer.validated_data)
        upload = given.pop("file")
        row = uploading.upload(
            file=upload.file,
            size=upload.size,
            user_id=request.user.pk,
            may=permissions_of(request.user),
            **given,
        )
        response = self.one(row, 201)
        response["Location"] = request.build_absolute_uri(reverse("import-detail", args=[row.pk]))
        return response


@extend_schema_view(get=extend_schema(operation_id="imports_retrieve", summary="Read an import and its progress"))
class ImportDetail(ImportView):
    """One import: how far it is, and how many of its rows do what."""

    path_help = ID

    def get(self, request: Request, id: int) -> Response:
        return self.one(get_object_or_404(self.get_queryset(), pk=id))


class ImportRowFilter(FilterSet):
    outcome = django_filters.ChoiceFilter(choices=ImportRow.Outcome.choices, help_text="Rows with this outcome.")

    class Meta:
        model = ImportRow
        fields: list[str] = []


@extend_schema_view(
    get=extend_schema(
        operation_id="imports_rows",
        summary="List the rows of an import",
        filters=True,
        responses=ImportRowSerializer(many=True),
    )
)
class ImportRows(ImportView):
    """The rows that were checked, in the order of the file."""

    path_help = ID
    queryset = ImportRow.objects.none()
    serializer_class = ImportRowSerializer
    filterset_class = ImportRowFilter
    ordering_fields = {"number": "number"}
    ordering = "number"

    def parameters(self) -> dict[str, bool]:
        return pagination.PARAMETERS | ImportRowFilter.parameters()

    def get_queryset(self) -> QuerySet[ImportRow]:
        files = Import.objects.exclude(kind=BULK).only("pk")
        return ImportRow.objects.filter(parent=get_object_or_404(files, pk=self.kwargs["id"]))

    def get(self, request: Request, id: int) -> Response:
        found = self.get_queryset()
        if (filters := ImportRowFilter.parse(request)) is not None:
            found = filters.filter_queryset(found)
        page = self.get_paginated_response(self.get_serializer(self.paginate_queryset(found), many=True).data)
        return conditional.with_etag(request, page)


class ImportRun(ImportView):
    """Runs an import that was checked."""

    path_help = ID
    etags = set()

    @extend_schema(
        operation_id="imports_run",
        summary="Run an import",
        request=None,
        responses={
            202: OpenApiResponse(ImportSerializer, description="Workers write the rows."),
            200: OpenApiResponse(ImportSerializer, description="It is running or done already: nothing is done twice."),
            409: problem("import-refused", "import-state"),
        },
    )
    def post(self, request: Request, id: int) -> Response:
        """Workers write the rows: read the import until it is `done` or `failed`."""
        get_object_or_404(self.get_queryset().only("pk"), pk=id)
        row, is_new = starting.start(import_id=id, user_id=request.user.pk, may=permissions_of(request.user))
        return Response(self.get_serializer(row).data, status=202 if is_new else 200)

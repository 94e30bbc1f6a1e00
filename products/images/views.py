"""The paths below /products/{id}/images/."""

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from django.http import FileResponse, Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework.generics import GenericAPIView
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from productbackend.api import pagination
from productbackend.api.conditional import precondition, with_etag
from productbackend.api.fields import HelpText
from productbackend.api.openapi.schema import ETAGS, problem
from productbackend.api.parameters import KnownParameters
from productbackend.api.parsers import JSONParser, MultiPartParser
from productbackend.api.permissions import StaffWrites, is_staff_with, may_see_all
from productbackend.api.throttling import AnonymousReadThrottle
from productbackend.database import replica
from productbackend.storages.media import TYPES
from products.images import files, lifecycle
from products.images.serializers import (
    ImageChangeSerializer,
    ImageOrderSerializer,
    ImageSerializer,
    ImageUploadSerializer,
)
from products.models import Product, ProductImage


class ImageView(KnownParameters, GenericAPIView):
    """The base of these views: the product's images that the client may see."""

    tag = "images"
    etags = ETAGS
    path_help = {"product_id": HelpText("The product's id.", 1), "image_id": HelpText("The image's id.", 1)}
    queryset = ProductImage.objects.none()
    serializer_class: type[Any] = ImageSerializer
    permission_classes = [StaffWrites]
    permission_model = ProductImage
    filter_backends: list[Any] = []
    ordering_fields = {"position": "position"}
    ordering = "position"
    lookup_url_kwarg = "image_id"
    throttle_classes = [AnonymousReadThrottle]
    throttle_scope = "catalogue"

    def get_queryset(self) -> QuerySet[ProductImage]:
        visible = {} if may_see_all(self.request, Product) else {"is_active": True}
        product = get_object_or_404(Product.objects.only("pk"), pk=self.kwargs["product_id"], **visible)
        found = ProductImage.objects.filter(product=product)
        return found if may_see_all(self.request, ProductImage) else found.filter(status=ProductImage.Status.READY)

    def read(self, data_class: type[Serializer[Any]]) -> dict[str, Any]:
        """The validated fields of the request body."""
        serializer = data_class(data=self.request.data)
        serializer.is_valid(raise_exception=True)
        return serializer.validated_data

    def page(self) -> Response:
        rows = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(rows, many=True).data)

    def precondition(self) -> Callable[[ProductImage], None]:
        return precondition(self.request, lambda image: self.get_serializer(image).data, "image")

    def one(self, image: ProductImage, status: int = 200) -> Response:
        return with_etag(self.request, Response(self.get_serializer(image).data, status=status), public=True)


@extend_schema_view(
    get=extend_schema(
        operation_id="images_list", summary="List a product's images", responses=ImageSerializer(many=True)
    ),
    post=extend_schema(
        operation_id="images_create",
        summary="Upload an image",
        request={"multipart/form-data": ImageUploadSerializer},
        responses={
            201: ImageSerializer,
            200: OpenApiResponse(ImageSerializer, description="The product has an image of the same bytes already."),
            400: problem("validation-error", "malformed", "invalid-image"),
        },
    ),
)
class ImageList(ImageView):
    """Lists a product's images, and takes uploads: 200 if the product has an image of the same bytes already."""

    parser_classes = [MultiPartParser]

    def parameters(self) -> dict[str, bool]:
        return pagination.PARAMETERS if self.request.method in ("GET", "HEAD") else {}

    @replica.reading
    def get(self, request: Request, product_id: int) -> Response:
        return with_etag(request, self.page(), public=True)

    def post(self, request: Request, product_id: int) -> Response:
        data = self.read(ImageUploadSerializer)
        image, is_new = lifecycle.add(product_id=product_id, file=data["image"], alt_text=data["alt_text"])
        response = self.one(image, 201 if is_new else 200)
        if is_new:
            response["Location"] = request.build_absolute_uri(reverse("image-detail", args=[product_id, image.pk]))
        return response


@extend_schema_view(
    get=extend_schema(operation_id="images_retrieve", summary="Read an image"),
    patch=extend_schema(
        operation_id="images_partial_update",
        summary="Change an image's text or position",
        request=ImageChangeSerializer,
    ),
    delete=extend_schema(operation_id="images_destroy", summary="Delete an image and its files"),
)
class ImageDetail(ImageView):
    """One image. Deleting it deletes its files."""

    parser_classes = [JSONParser]

    @replica.reading
    def get(self, request: Request, product_id: int, image_id: int) -> Response:
        return self.one(self.get_object())

    def patch(self, request: Request, product_id: int, image_id: int) -> Response:
        image = self.get_object()
        data = self.read(ImageChangeSerializer)
        return self.one(lifecycle.change(image=image, precondition=self.precondition(), **data))

    def delete(self, request: Request, product_id: int, image_id: int) -> Response:
        lifecycle.remove(image=self.get_object(), precondition=self.precondition())
        return Response(status=204)


class ImageOrder(ImageView):
    """The order of all of a product's images."""

    parser_classes = [JSONParser]

    @extend_schema(
        operation_id="images_order",
        summary="Put all of a product's images in order",
        request=ImageOrderSerializer,
        responses=ImageSerializer(many=True),
    )
    def put(self, request: Request, product_id: int) -> Response:
        """Returns the list of images; If-Match takes the ETag of that list."""
        lifecycle.reorder(
            product_id=product_id,
            image_ids=self.read(ImageOrderSerializer)["images"],
            precondition=precondition(request, lambda _: self.page().data, "order of the images"),
        )
        return with_etag(request, self.page(), public=True)

    def parameters(self) -> dict[str, bool]:
        return pagination.PARAMETERS  # of the list in the response

    @property
    def list_path(self) -> str:
        """The path of the response's pages: this one does not support GET."""
        return reverse("image-list", args=[self.kwargs["product_id"]])


class ImageOriginal(ImageView):
    """The uploaded file, for staff; 404 for everyone else."""

    etags = set()

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[BaseRenderer, str]:
        # The response is a picture, whatever `Accept` says; the renderers are for errors only.
        return super().perform_content_negotiation(request, force=True)

    @extend_schema(
        operation_id="images_original",
        summary="Download the uploaded file",
        auth=[{"Bearer": []}, {"cookieAuth": []}],  # type: ignore[list-item]  # drf-spectacular accepts a list of dicts
        responses={(200, "image/*"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, product_id: int, image_id: int) -> FileResponse:
        if not is_staff_with(request.user, "view", ProductImage):
            raise Http404
        image = self.get_object()
        try:
            file = files.open_file(image.original)
        except FileNotFoundError:
            raise Http404 from None
        name = f"product-{product_id}-image-{image_id}.{image.original.rpartition('.')[2]}"
        response = FileResponse(file, as_attachment=True, filename=name, content_type=TYPES[name.rpartition(".")[2]])
        response["X-Content-Type-Options"] = "nosniff"
        response["Cache-Control"] = "private, no-store"
        return response

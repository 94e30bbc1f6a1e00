"""The paths below /products/{id}/images/."""

from typing import Any

from django.db.models import QuerySet
from django.http import FileResponse, Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework.generics import GenericAPIView
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from productbackend import replica
from productbackend.api.conditional import tagged
from productbackend.api.parsers import JSONParser
from productbackend.api.permissions import StaffWrites, is_staff_with
from productbackend.api.schema import IF_NONE_MATCH, NOT_MODIFIED, problem
from productbackend.media import TYPES
from products import image_files, images
from products.image_serializers import (
    ImageChangeSerializer,
    ImageOrderSerializer,
    ImageSerializer,
    ImageUploadSerializer,
)
from products.models import Product, ProductImage


class ImageView(GenericAPIView):
    """What these paths share: the product's images as far as the reader may see them."""

    queryset = ProductImage.objects.none()
    serializer_class: type[Any] = ImageSerializer
    permission_classes = [StaffWrites]
    permission_model = ProductImage
    filter_backends: list[Any] = []
    ordering_fields = {"position": "position"}
    ordering = "position"
    lookup_url_kwarg = "image_id"

    def get_queryset(self) -> QuerySet[ProductImage]:
        user, product_id = self.request.user, self.kwargs["product_id"]
        hidden = {} if is_staff_with(user, "view", Product) else {"is_active": True}
        product = get_object_or_404(Product.objects.only("pk"), pk=product_id, **hidden)
        found = ProductImage.objects.filter(product=product)
        return found if is_staff_with(user, "view", ProductImage) else found.filter(status=ProductImage.Status.READY)

    def read(self, data_class: type[Any]) -> dict[str, Any]:
        """The body's fields, by the serializer that knows them."""
        serializer = data_class(data=self.request.data)
        serializer.is_valid(raise_exception=True)
        return serializer.validated_data

    def page(self) -> Response:
        rows = self.paginate_queryset(self.get_queryset())
        response = self.get_paginated_response(self.get_serializer(rows, many=True).data)
        return tagged(self.request, response, public=True)

    def one(self, image: ProductImage, status: int = 200) -> Response:
        return tagged(self.request, Response(self.get_serializer(image).data, status=status), public=True)


@extend_schema_view(
    get=extend_schema(
        operation_id="images_list",
        summary="List a product's images",
        parameters=[IF_NONE_MATCH],
        responses={200: ImageSerializer(many=True), 304: NOT_MODIFIED},
    ),
    post=extend_schema(
        operation_id="images_create",
        summary="Upload an image",
        request={"multipart/form-data": ImageUploadSerializer},
        responses={
            201: ImageSerializer,
            200: OpenApiResponse(ImageSerializer, description="The same bytes are there already: the image they made."),
            400: problem("validation-error", "malformed", "invalid-image"),
        },
    ),
)
class ImageList(ImageView):
    """A product's images, and the door for a new one: 200 where the same bytes are there already."""

    parser_classes = [MultiPartParser]

    @replica.reading
    def get(self, request: Request, product_id: int) -> Response:
        return self.page()

    def post(self, request: Request, product_id: int) -> Response:
        data = self.read(ImageUploadSerializer)
        image, is_new = images.add(product_id=product_id, file=data["image"], alt_text=data["alt_text"])
        response = self.one(image, 201 if is_new else 200)
        if is_new:
            response["Location"] = request.build_absolute_uri(reverse("image-detail", args=[product_id, image.pk]))
        return response


@extend_schema_view(
    get=extend_schema(
        operation_id="images_retrieve",
        summary="Read an image",
        parameters=[IF_NONE_MATCH],
        responses={200: ImageSerializer, 304: NOT_MODIFIED},
    ),
    patch=extend_schema(
        operation_id="images_partial_update",
        summary="Change an image's text or position",
        request=ImageChangeSerializer,
        responses={200: ImageSerializer},
    ),
    delete=extend_schema(
        operation_id="images_destroy",
        summary="Delete an image and its files",
        responses={204: OpenApiResponse(description="Deleted.")},
    ),
)
class ImageDetail(ImageView):
    """One image. Its files go with it."""

    parser_classes = [JSONParser]

    @replica.reading
    def get(self, request: Request, product_id: int, image_id: int) -> Response:
        return self.one(self.get_object())

    def patch(self, request: Request, product_id: int, image_id: int) -> Response:
        image = self.get_object()
        return self.one(images.change(image=image, **self.read(ImageChangeSerializer)))

    def delete(self, request: Request, product_id: int, image_id: int) -> Response:
        images.remove(image=self.get_object())
        return Response(status=204)


class ImageOrder(ImageView):
    """The order of all of a product's images at once."""

    parser_classes = [JSONParser]

    @extend_schema(
        operation_id="images_order",
        summary="Put all of a product's images in order",
        request=ImageOrderSerializer,
        responses={200: ImageSerializer(many=True)},
    )
    def put(self, request: Request, product_id: int) -> Response:
        images.reorder(product_id=product_id, image_ids=self.read(ImageOrderSerializer)["images"])
        return self.page()


class ImageOriginal(ImageView):
    """The file as it was uploaded, for staff; to anyone else there is no such path."""

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        # A picture answers `Accept: image/*`; the renderers are for its problems alone.
        return super().perform_content_negotiation(request, force=True)

    @extend_schema(
        operation_id="images_original",
        summary="Download the uploaded file",
        responses={(200, "image/*"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, product_id: int, image_id: int) -> FileResponse:
        if not is_staff_with(request.user, "view", ProductImage):
            raise Http404
        image = self.get_object()
        try:
            file = image_files.opened(image.original)
        except FileNotFoundError:
            raise Http404 from None
        name = f"product-{product_id}-image-{image_id}.{image.original.rpartition('.')[2]}"
        response = FileResponse(file, as_attachment=True, filename=name, content_type=TYPES[name.rpartition(".")[2]])
        response["X-Content-Type-Options"] = "nosniff"
        response["Cache-Control"] = "private, no-store"
        return response

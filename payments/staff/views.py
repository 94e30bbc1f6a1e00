"""Refunds over HTTP, and the mark that an order is paid."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.exceptions import PermissionDenied
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from orders.models import Order
from orders.serializers import OrderSerializer, represent
from orders.views import current_customer, current_user
from payments import sending
from payments.marking import mark_paid
from payments.models import MoneyMovement, Refund
from payments.refunds import RefundRequest
from payments.staff.serializers import MarkPaidSerializer, NewRefundSerializer, RefundSerializer
from productbackend.api import conditional, pagination
from productbackend.api.fields import HelpText
from productbackend.api.idempotency import REPLAYED, idempotency_key, key_parameter
from productbackend.api.openapi.schema import problem
from productbackend.api.parameters import KnownParameters
from productbackend.api.permissions import IsCustomer, is_staff_with, sees_all

NUMBER = {"number": HelpText("The order's number.", "SMT2-3GPF-YXX7")}


def visible_order(request: Request, number: str) -> Order:
    """Return the order if it is the customer's own, or the user sees all. Raises Http404."""
    rows = Order.objects.all()
    if not sees_all(request.user, Order):
        rows = rows.filter(**current_customer(request).owner)
    return get_object_or_404(rows, number=number)


@extend_schema_view(
    get=extend_schema(
        operation_id="refunds_list", summary="List an order's refunds", responses=RefundSerializer(many=True)
    ),
    post=extend_schema(
        operation_id="refunds_create",
        summary="Refund an amount, or pieces of an order",
        parameters=[key_parameter("refund"), REPLAYED],
        request=NewRefundSerializer,
        responses={
            201: RefundSerializer,
            409: problem("refund-too-large", "order-state"),
            422: problem("idempotency-key-reused"),
        },
    ),
)
class RefundListView(KnownParameters, GenericAPIView):
    """The refunds of an order. Staff create them; the customer reads them."""

    etags = {"GET"}
    path_help = NUMBER
    queryset = Refund.objects.none()
    serializer_class = RefundSerializer
    permission_classes = [IsCustomer]
    allows_guests = True
    filter_backends: list[Any] = []
    ordering_fields = {"created_at": "created_at", "id": "id"}
    ordering = "id"

    def parameters(self) -> dict[str, bool]:
        return pagination.PARAMETERS if self.request.method in ("GET", "HEAD") else {}

    def get_queryset(self) -> QuerySet[Refund]:
        return Refund.objects.filter(order=visible_order(self.request, self.kwargs["number"]))

    def get(self, request: Request, number: str) -> Response:
        rows = self.paginate_queryset(self.get_queryset())
        page = self.get_paginated_response(self.get_serializer(rows, many=True).data)
        return conditional.with_etag(request, page)

    def post(self, request: Request, number: str) -> Response:
        """Refund by the way the money came. Pieces are refunded with their tax; `restock` puts them back in stock."""
        if not is_staff_with(request.user, "add", Refund):
            raise PermissionDenied("Only staff with the permission to add refunds may do that.")
        order, body = visible_order(request, number), NewRefundSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = RefundRequest(order.pk, current_user(request), key=idempotency_key(request), **body.wanted())
        refund, replayed = sending.request(wanted)
        response = Response(self.get_serializer(refund).data, status=201)
        response["Location"] = request.build_absolute_uri(f"/orders/{order.number}/refunds/")
        if replayed:
            response["Idempotent-Replayed"] = "true"
        return response


class MarkPaidView(KnownParameters, APIView):
    """Money that came by another way than a provider of the shop."""

    path_help = NUMBER
    permission_classes = [IsCustomer]
    allows_guests = True

    @extend_schema(
        operation_id="orders_mark_paid",
        summary="Mark an order as paid",
        request=MarkPaidSerializer,
        responses={200: OrderSerializer, 409: problem("order-state")},
    )
    def post(self, request: Request, number: str) -> Response:
        """Mark a pending order as paid, and cancel its open payments. An expired one takes its stock again, or the
        money is to be refunded. Staff only."""
        if not is_staff_with(request.user, "add", MoneyMovement):
            raise PermissionDenied("Only staff with the permission to add money movements may do that.")
        order, body = visible_order(request, number), MarkPaidSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        paid = mark_paid(order_id=order.pk, user=current_user(request), **body.validated_data)
        return Response(represent(paid, request))

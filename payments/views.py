"""Payments over HTTP."""

from functools import cached_property
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import mixins, viewsets
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from orders.models import Order
from orders.views import current_customer
from payments import asking, events, starting
from payments.models import Payment
from payments.providers import offered
from payments.serializers import NewPaymentSerializer, PaymentMethodsSerializer, PaymentSerializer
from productbackend.api import conditional
from productbackend.api.fields import HelpText
from productbackend.api.idempotency import REPLAYED, idempotency_key, key_parameter
from productbackend.api.openapi import schema
from productbackend.api.parameters import KnownParameters
from productbackend.api.parsers import JSONParser
from productbackend.api.permissions import IsCustomer, is_staff_with, sees_all
from productbackend.api.throttling import AnonymousReadThrottle, CustomerThrottle


class PaymentMethodsView(KnownParameters, APIView):
    """The ways to pay that the shop offers now."""

    etags = {"GET"}
    permission_classes = [AllowAny]
    throttle_classes = [AnonymousReadThrottle]
    throttle_scope = "catalogue"

    @extend_schema(
        operation_id="payment_methods_list",
        summary="List the ways to pay",
        responses={200: PaymentMethodsSerializer},
    )
    def get(self, request: Request) -> Response:
        return conditional.with_etag(request, Response(PaymentMethodsSerializer({"results": offered()}).data))


@extend_schema_view(
    list=extend_schema(operation_id="payments_list", summary="List the payments of an order"),
    retrieve=extend_schema(operation_id="payments_retrieve", summary="Read a payment"),
    create=extend_schema(
        operation_id="payments_create",
        summary="Start a payment of an order",
        parameters=[key_parameter("payment"), REPLAYED],
        request=NewPaymentSerializer,
        responses={
            200: OpenApiResponse(PaymentSerializer, description="The open payment of this method."),
            201: PaymentSerializer,
            409: schema.problem("order-state", "payment-refused"),
            422: schema.problem("idempotency-key-reused"),
            429: schema.problem("throttled"),
        },
    ),
)
class PaymentViewSet(KnownParameters, mixins.ListModelMixin, viewsets.GenericViewSet):
    """The payments of an order, of its customer; staff who see all orders see all payments."""

    etags = {"GET"}
    queryset = Payment.objects.none()
    serializer_class = PaymentSerializer
    permission_classes = [IsCustomer]
    allows_guests = True
    throttle_scope = "checkout"
    filter_backends: list[Any] = []
    path_help = {
        "number": HelpText("The order's number.", "SMT2-3GPF-YXX7"),
        "id": HelpText("The payment's id.", 1),
    }
    ordering_fields = {"created_at": "created_at", "id": "id"}
    ordering = "id"

    def get_throttles(self) -> list[BaseThrottle]:
        return [CustomerThrottle()] if self.request.method == "POST" else []

    @cached_property
    def order(self) -> Order:
        """The order in the path, if the client may see it; else a 404."""
        owner = {} if sees_all(self.request.user, Order) else current_customer(self.request).owner
        return get_object_or_404(Order.objects.filter(**owner), number=self.kwargs["number"])

    def get_queryset(self) -> QuerySet[Payment]:
        if getattr(self, "swagger_fake_view", False):
            return Payment.objects.none()
        return Payment.objects.filter(order=self.order).select_related("order")

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return conditional.with_etag(request, super().list(request, *args, **kwargs))

    def retrieve(self, request: Request, number: str, id: int) -> Response:
        """A pending payment is asked about at its provider first, at most every 2 seconds."""
        payment = get_object_or_404(self.get_queryset(), pk=id)
        if payment.status == Payment.Status.PENDING:
            payment = asking.ask(payment_id=payment.pk, at_most_every=asking.CUSTOMERS_INTERVAL)
        return conditional.with_etag(request, Response(self.get_serializer(payment).data))

    def create(self, request: Request, number: str) -> Response:
        """Start a payment of a pending order: 201, or 200 with the open one of this method."""
        order, customer = self.order, current_customer(request)
        if not customer.owns(order) and not is_staff_with(request.user, "change", Order):
            raise PermissionDenied("Only staff with the permission to change orders may do that.")
        body = NewPaymentSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        attempted = starting.start(
            starting.Start(order_id=order.pk, customer=customer, key=idempotency_key(request), **body.validated_data)
        )
        payment = self.get_queryset().get(pk=attempted.payment.pk)
        response = Response(self.get_serializer(payment).data, status=201 if attempted.created else 200)
        response["Location"] = request.build_absolute_uri(reverse("payment-detail", args=[number, payment.pk]))
        if attempted.replayed:
            response["Idempotent-Replayed"] = "true"
        return response


class PaymentEventView(KnownParameters, APIView):
    """Takes the events that a provider signs and sends."""

    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]
    parser_classes = [JSONParser]  # for the browsable page; the signature is that of the raw body
    body_max_bytes = events.BODY_MAX
    path_help = {"provider": HelpText("The code of a payment method.", "stripe")}

    @extend_schema(
        operation_id="payment_events_create",
        summary="Take an event of a payment provider",
        request={"application/json": OpenApiTypes.OBJECT},
        responses={
            200: OpenApiResponse(OpenApiTypes.OBJECT, description="Stored, or known already."),
            400: schema.problem("invalid-signature", "malformed", "validation-error"),
            404: schema.problem("not-found"),
        },
    )
    def post(self, request: Request, provider: str) -> Response:
        """Store a signed event as a hint; a worker asks the provider how the payment stands. For providers only."""
        events.receive(code=provider, body=request.body, headers=request.headers)
        return Response({})

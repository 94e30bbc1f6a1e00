"""Orders over HTTP."""

from typing import TYPE_CHECKING, Any, cast

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from orders import claiming, lifecycle
from orders.customers import Customer
from orders.filters import OrderFilter, StaffOrderFilter
from orders.models import Order
from orders.serializers import ClaimedSerializer, FulfilSerializer, OrderSerializer
from productbackend.api import conditional
from productbackend.api.fields import HelpText
from productbackend.api.openapi import schema
from productbackend.api.parameters import KnownParameters
from productbackend.api.permissions import IsCustomer, is_staff_with, sees_all
from productbackend.api.throttling import CustomerThrottle

if TYPE_CHECKING:
    from accounts.models import Guest, User

STEP: dict[str, Any] = {"request": None, "responses": {200: OrderSerializer, 409: schema.problem("order-state")}}

CANCEL: dict[str, Any] = {**STEP, "responses": {**STEP["responses"], 429: schema.problem("throttled")}}


@extend_schema_view(
    list=extend_schema(summary="List the user's own orders, or for staff all orders"),
    retrieve=extend_schema(summary="Read an order"),
)
class OrderViewSet(KnownParameters, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    """The orders of a user or a guest."""

    etags = schema.ETAGS
    queryset = Order.objects.all()
    serializer_class = OrderSerializer
    permission_classes = [IsCustomer]
    allows_guests = True
    throttle_scope = "checkout"
    lookup_field = "number"
    path_help = {"number": HelpText("The order's number.", "SMT2-3GPF-YXX7")}
    lookup_value_regex = r"[A-Za-z0-9-]{1,20}"
    ordering_fields = {"created_at": "created_at", "updated_at": "updated_at", "total": "total"}
    ordering = "-created_at"

    @property
    def filterset_class(self) -> type[OrderFilter]:
        return StaffOrderFilter if self.sees_all else OrderFilter

    @property
    def sees_all(self) -> bool:
        # Staff who may change orders, to cancel or fulfil them, also see every order. The document is for staff too.
        return getattr(self, "swagger_fake_view", False) or sees_all(self.request.user, Order)

    def get_queryset(self) -> QuerySet[Order]:
        orders = Order.objects.prefetch_related("lines")
        if self.sees_all:
            return orders.select_related("user")
        return orders.filter(**current_customer(self.request).owner)

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return conditional.with_etag(request, super().list(request, *args, **kwargs))

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return conditional.with_etag(request, super().retrieve(request, *args, **kwargs))

    @extend_schema(**CANCEL, summary="Cancel an order")
    @action(detail=True, methods=["post"], throttle_classes=[CustomerThrottle])
    def cancel(self, request: Request, number: str) -> Response:
        """Cancel an order that is not fulfilled, restock it, and refund its money. Staff who cancel a customer's order
        state by it that they send back what came by bank transfer. Idempotent: a second request changes nothing."""
        order, customer = self.get_object(), current_customer(request)
        if not customer.owns(order):
            self._require_staff(request)
        return self._respond(request, lifecycle.cancel(order_id=order.pk, user=customer.user))

    @extend_schema(**STEP | {"request": FulfilSerializer}, summary="Mark an order as fulfilled")
    @action(detail=True, methods=["post"])
    def fulfil(self, request: Request, number: str) -> Response:
        """Mark an order as fulfilled, with its tracking, and tell the customer by mail. Staff only."""
        self._require_staff(request)
        order = self.get_object()
        body = FulfilSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        fulfilled = lifecycle.fulfil(order_id=order.pk, user=current_user(request), tracking=body.tracking())
        return self._respond(request, fulfilled)

    def _require_staff(self, request: Request) -> None:
        if not is_staff_with(request.user, "change", Order):
            raise PermissionDenied("Only staff with the permission to change orders may do that.")

    def _respond(self, request: Request, order: Order) -> Response:
        return conditional.with_etag(request, Response(self.get_serializer(order).data))


class OrderClaimView(KnownParameters, APIView):
    """Gives a user the orders that were made as a guest with the user's address."""

    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="orders_claim",
        summary="Claim the orders made as a guest with the account's verified address",
        request=None,
        responses={200: ClaimedSerializer, 403: schema.problem("forbidden")},
    )
    def post(self, request: Request) -> Response:
        return Response({"claimed": claiming.claim(user=current_user(request))})


def current_user(request: Request) -> "User":
    """Return the authenticated user; the view's permission excludes AnonymousUser."""
    return cast("User", request.user)


def current_customer(request: Request) -> Customer:
    """Return the authenticated user or guest; the view's permission excludes everybody else."""
    if request.user.is_authenticated:
        return Customer(user=current_user(request))
    return Customer(guest=cast("Guest", request.auth))

"""Orders over HTTP: read by their owner, moved on by staff."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from orders import lifecycle
from orders.models import Order
from orders.serializers import OrderSerializer
from productbackend.api import conditional, schema
from productbackend.api.permissions import is_staff_with

READ: dict[str, Any] = {"parameters": [schema.IF_NONE_MATCH]}
STEP: dict[str, Any] = {"request": None, "responses": {200: OrderSerializer, 409: schema.problem("order-state")}}


@extend_schema_view(
    list=extend_schema(
        **READ,
        summary="List orders: one's own, or for staff all",
        responses={200: OrderSerializer(many=True), 304: schema.NOT_MODIFIED},
    ),
    retrieve=extend_schema(**READ, summary="Read an order", responses={200: OrderSerializer, 304: schema.NOT_MODIFIED}),
)
class OrderViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    """What was bought."""

    queryset = Order.objects.all()
    serializer_class = OrderSerializer
    permission_classes = [IsAuthenticated]
    lookup_field = "number"
    lookup_value_regex = r"[A-Za-z0-9-]{1,20}"
    ordering_fields = {"created_at": "created_at", "total": "total"}
    ordering = "-created_at"

    def get_queryset(self) -> QuerySet[Order]:
        orders = Order.objects.prefetch_related("lines")
        user: Any = self.request.user
        # Whoever may change every order, to cancel or fulfil it, sees every order.
        if is_staff_with(user, "view", Order) or is_staff_with(user, "change", Order):
            return orders
        return orders.filter(user=user)

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return conditional.tagged(request, super().list(request, *args, **kwargs))

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return conditional.tagged(request, super().retrieve(request, *args, **kwargs))

    @extend_schema(**STEP, summary="Cancel an order")
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, number: str) -> Response:
        """Cancel an order that is not fulfilled, and restock it. Asked again it answers alike and changes nothing."""
        order = self.get_object()
        if order.user_id != request.user.pk:
            self._require_staff(request)
        return self._step(request, lifecycle.cancel(order_id=order.pk, user=request.user))

    @extend_schema(**STEP, summary="Mark an order as fulfilled")
    @action(detail=True, methods=["post"])
    def fulfil(self, request: Request, number: str) -> Response:
        """Mark an order as sent. Staff alone."""
        self._require_staff(request)
        return self._step(request, lifecycle.fulfil(order_id=self.get_object().pk, user=request.user))

    def _require_staff(self, request: Request) -> None:
        if not is_staff_with(request.user, "change", Order):
            raise PermissionDenied("Only staff with the permission may do that.")

    def _step(self, request: Request, order: Order) -> Response:
        return conditional.tagged(request, Response(self.get_serializer(order).data))

"""Carts, their items and checkout over HTTP."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import (
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_view,
)
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from carts import items
from carts.checkout import IdempotencyKey, Placed, place_order
from carts.filters import CartFilter
from carts.models import Cart, CartItem
from carts.requests import KEY_HEADER, KEY_LENGTH_MAX, consent, idempotency_key
from carts.serializers import (
    CartCompletionSerializer,
    CartItemSerializer,
    CartSerializer,
    CompletedCartSerializer,
    ItemQuantitySerializer,
    NewItemSerializer,
)
from orders.serializers import OrderSerializer
from productbackend.api import conditional, schema
from productbackend.api.permissions import ACTIONS, is_staff_with

READ: dict[str, Any] = {"parameters": [schema.IF_NONE_MATCH]}
KEY_PARAMETER = OpenApiParameter(
    KEY_HEADER,
    {"type": "string", "pattern": f"^[!-~]([ -~]{{0,{KEY_LENGTH_MAX - 2}}}[!-~])?$"},
    OpenApiParameter.HEADER,
    description="A name of your own for this request: repeated, it answers with the same order.",
)
REPLAYED = OpenApiParameter(
    "Idempotent-Replayed", bool, OpenApiParameter.HEADER, response=True, description="true on a repeated answer."
)
CHECKOUT: dict[str, Any] = {
    "parameters": [KEY_PARAMETER, schema.IF_MATCH, REPLAYED],
}
REFUSALS: dict[int, Any] = {
    409: schema.problem("insufficient-stock", "empty-cart", "already-ordered"),
    412: schema.problem("precondition-failed"),
    422: schema.problem("idempotency-key-reused"),
}
COMPLETION: dict[str, Any] = {
    **CHECKOUT,
    "request": CartCompletionSerializer,
    "responses": {200: CompletedCartSerializer, **REFUSALS},
}


@extend_schema_view(
    list=extend_schema(
        **READ,
        summary="List carts: one's own, or for staff all",
        responses={200: CartSerializer(many=True), 304: schema.NOT_MODIFIED},
    ),
    retrieve=extend_schema(**READ, summary="Read a cart", responses={200: CartSerializer, 304: schema.NOT_MODIFIED}),
    create=extend_schema(
        summary="Get one's cart, or make it",
        request=None,
        responses={200: OpenApiResponse(CartSerializer, description="The cart that there is."), 201: CartSerializer},
    ),
    update=extend_schema(**COMPLETION, summary="Check the cart out by `completed`"),
    partial_update=extend_schema(**COMPLETION, summary="Check the cart out by `completed`"),
    destroy=extend_schema(
        summary="Throw the cart away", responses={204: OpenApiResponse(description="It is gone, and its items.")}
    ),
)
class CartViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.DestroyModelMixin, viewsets.GenericViewSet):
    """A user's one cart."""

    queryset = Cart.objects.all()
    serializer_class = CartSerializer
    permission_classes = [IsAuthenticated]
    filterset_class = CartFilter
    ordering_fields = {"created_at": "created_at", "updated_at": "updated_at"}
    ordering = "created_at"

    @property
    def any_owner(self) -> bool:
        # A checkout changes a cart, though it is a POST.
        verb = "change" if self.action == "checkout" else ACTIONS.get(self.request.method or "", "change")
        return is_staff_with(self.request.user, verb, Cart)

    def get_queryset(self) -> QuerySet[Cart]:
        carts = Cart.objects.select_related("user").prefetch_related("items__product")
        return carts if self.any_owner else carts.filter(user=self.request.user.pk)

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return conditional.tagged(request, super().list(request, *args, **kwargs))

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return conditional.tagged(request, super().retrieve(request, *args, **kwargs))

    def create(self, request: Request) -> Response:
        """The user's cart: 201 with a new one, or 200 with the one there is."""
        cart, created = items.cart_of(request.user)
        response = Response(self.get_serializer(cart).data, status=201 if created else 200)
        response["Location"] = request.build_absolute_uri(f"/carts/{cart.pk}/")
        return conditional.tagged(request, response)

    def update(self, request: Request, pk: str, partial: bool = False) -> Response:
        """With `completed` true: checks the cart out, as `/checkout/` does."""
        shape = CartCompletionSerializer(data=request.data, partial=partial)
        shape.is_valid(raise_exception=True)
        key = idempotency_key(request)
        if shape.validated_data.get("completed"):
            return self._complete(request, pk, key)
        cart = self.get_object()
        consent(request)(cart)
        return conditional.tagged(request, Response(self.get_serializer(cart).data))

    def partial_update(self, request: Request, pk: str) -> Response:
        return self.update(request, pk, partial=True)

    @extend_schema(**CHECKOUT, summary="Check the cart out", request=None, responses={201: OrderSerializer, **REFUSALS})
    @action(detail=True, methods=["post"])
    def checkout(self, request: Request, pk: str) -> Response:
        """Make an order of the cart: all of it or nothing."""
        placed = self._place(request, pk, idempotency_key(request))
        response = Response(OrderSerializer(placed.order).data, status=201)
        response["Location"] = request.build_absolute_uri(f"/orders/{placed.order.number}/")
        return self._marked(conditional.tagged(request, response), placed)

    def _complete(self, request: Request, pk: str, key: IdempotencyKey | None) -> Response:
        seen: dict[str, Any] = {}
        placed = self._place(request, pk, key, seen)
        body = placed.order.cart_snapshot if placed.replayed else seen
        return self._marked(Response({**(body or {}), "completed": True, "order": placed.order.number}), placed)

    def _place(
        self, request: Request, pk: str, key: IdempotencyKey | None, seen: dict[str, Any] | None = None
    ) -> Placed:
        return place_order(
            cart_id=int(pk),
            actor=request.user,
            any_owner=self.any_owner,
            key=key,
            inspect=consent(request, seen),
        )

    @staticmethod
    def _marked(response: Response, placed: Placed) -> Response:
        if placed.replayed:
            response["Idempotent-Replayed"] = "true"
        return response


ITEM_REFUSAL: dict[int, Any] = {409: schema.problem("insufficient-stock")}


@extend_schema_view(
    list=extend_schema(
        **READ,
        summary="List the items in one's cart, or for staff in all",
        responses={200: CartItemSerializer(many=True), 304: schema.NOT_MODIFIED},
    ),
    retrieve=extend_schema(
        **READ, summary="Read an item", responses={200: CartItemSerializer, 304: schema.NOT_MODIFIED}
    ),
    create=extend_schema(
        summary="Put a product into one's cart",
        request=NewItemSerializer,
        responses={
            200: OpenApiResponse(CartItemSerializer, description="It was in the cart: its item has more now."),
            201: CartItemSerializer,
            **ITEM_REFUSAL,
        },
    ),
    update=extend_schema(
        summary="Set an item's quantity",
        request=ItemQuantitySerializer,
        responses={200: CartItemSerializer, **ITEM_REFUSAL},
    ),
    partial_update=extend_schema(
        summary="Change an item's quantity",
        request=ItemQuantitySerializer,
        responses={200: CartItemSerializer, **ITEM_REFUSAL},
    ),
    destroy=extend_schema(
        summary="Take an item out of the cart", responses={204: OpenApiResponse(description="Removed.")}
    ),
)
class CartItemViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.DestroyModelMixin, viewsets.GenericViewSet
):
    """What is in the carts."""

    queryset = CartItem.objects.all()
    serializer_class = CartItemSerializer
    permission_classes = [IsAuthenticated]
    ordering_fields = {"id": "id"}
    ordering = "id"

    def get_queryset(self) -> QuerySet[CartItem]:
        rows = CartItem.objects.select_related("product")
        verb = ACTIONS.get(self.request.method or "", "change")
        return (
            rows if is_staff_with(self.request.user, verb, CartItem) else rows.filter(cart__user=self.request.user.pk)
        )

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return conditional.tagged(request, super().list(request, *args, **kwargs))

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return conditional.tagged(request, super().retrieve(request, *args, **kwargs))

    def create(self, request: Request) -> Response:
        """Put a product into the caller's cart; more of one that is in it answers 200 with its item."""
        shape = NewItemSerializer(data=request.data)
        shape.is_valid(raise_exception=True)
        wanted = shape.validated_data
        item, created = items.add(user=request.user, product_id=wanted["product"], quantity=wanted["quantity"])
        response = self._answer(request, item, status=201 if created else 200)
        response["Location"] = request.build_absolute_uri(f"/cart-items/{item.pk}/")
        return response

    def update(self, request: Request, pk: str, partial: bool = False) -> Response:
        item = self.get_object()
        shape = ItemQuantitySerializer(item, data=request.data, partial=partial)
        shape.is_valid(raise_exception=True)
        quantity = shape.validated_data.get("quantity", item.quantity)
        return self._answer(request, items.change(item=item, quantity=quantity))

    def partial_update(self, request: Request, pk: str) -> Response:
        return self.update(request, pk, partial=True)

    def perform_destroy(self, instance: CartItem) -> None:
        items.remove(item=instance)

    def _answer(self, request: Request, item: CartItem, status: int = 200) -> Response:
        return conditional.tagged(request, Response(CartItemSerializer(item).data, status=status))

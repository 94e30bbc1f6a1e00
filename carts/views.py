"""Carts, their items and checkout over HTTP."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from drf_spectacular.utils import (
    OpenApiParameter,
    OpenApiResponse,
    PolymorphicProxySerializer,
    extend_schema,
    extend_schema_view,
)
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from accounts.guests import find_guest
from carts import details, items, merging, pricing
from carts.checkout import Checkout, PlacedOrder, place_order
from carts.filters import CartFilter
from carts.models import Cart, CartItem
from carts.requests import if_match_precondition, wants_cart
from carts.serializers import (
    CartItemSerializer,
    CartSerializer,
    CartWriteSerializer,
    CompletedCartSerializer,
    ItemQuantitySerializer,
    MergedCartSerializer,
    MergeSerializer,
    NewItemSerializer,
    NewItemsSerializer,
    represent,
    represent_item,
)
from carts.throttles import CheckoutThrottle
from delivery.serializers import OffersSerializer
from orders.serializers import OrderSerializer
from orders.serializers import represent as represent_order
from orders.views import current_customer, current_user
from productbackend.api import conditional
from productbackend.api.idempotency import REPLAYED, idempotency_key, key_parameter
from productbackend.api.openapi import schema
from productbackend.api.parameters import KnownParameters
from productbackend.api.permissions import ACTIONS, IsCustomer, is_staff_with
from products.images.serializers import ready_images

REFUSALS: dict[int, Any] = {
    409: schema.problem(
        "insufficient-stock", "empty-cart", "checkout-incomplete", "delivery-unavailable", "already-ordered"
    ),
    412: schema.problem("precondition-failed"),
    422: schema.problem("idempotency-key-reused"),
    429: schema.problem("throttled"),
}
COMPLETION: dict[str, Any] = {
    "parameters": [key_parameter("order"), REPLAYED],
    "request": CartWriteSerializer,
    "responses": {200: CompletedCartSerializer, **REFUSALS},
}


@extend_schema_view(
    list=extend_schema(summary="List the user's own cart, or for staff all carts"),
    retrieve=extend_schema(summary="Read a cart"),
    create=extend_schema(
        summary="Get or create the user's cart",
        request=None,
        responses={200: OpenApiResponse(CartSerializer, description="The existing cart."), 201: CartSerializer},
    ),
    update=extend_schema(**COMPLETION, summary="Check the cart out by `completed`"),
    partial_update=extend_schema(**COMPLETION, summary="Check the cart out by `completed`"),
    destroy=extend_schema(summary="Delete the cart, with its items"),
)
class CartViewSet(
    KnownParameters,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.DestroyModelMixin,
    viewsets.GenericViewSet,
):
    """The one cart of a user or a guest."""

    etags = {"GET", "POST"}  # a cart that is checked out has none
    queryset = Cart.objects.all()
    serializer_class = CartSerializer
    permission_classes = [IsCustomer]
    allows_guests = True
    throttle_classes = [CheckoutThrottle]
    throttle_scope = "checkout"
    filterset_class = CartFilter
    ordering_fields = {"created_at": "created_at", "updated_at": "updated_at"}
    ordering = "created_at"

    @property
    def any_owner(self) -> bool:
        # A checkout changes a cart, though it is a POST.
        verb = "change" if self.action == "checkout" else ACTIONS.get(self.request.method or "", "change")
        return is_staff_with(self.request.user, verb, Cart)

    def get_queryset(self) -> QuerySet[Cart]:
        images = ready_images("items__product__images")
        carts = Cart.objects.select_related("user").prefetch_related("items__product", images)
        return carts if self.any_owner else carts.filter(**current_customer(self.request).owner)

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return conditional.with_etag(request, super().list(request, *args, **kwargs))

    def paginate_queryset(self, queryset: Any) -> Any:
        carts = super().paginate_queryset(queryset)
        pricing.quote_carts(carts or [])
        return carts

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return conditional.with_etag(request, Response(represent(self.get_object(), request)))

    def create(self, request: Request) -> Response:
        """Return the customer's cart: 201 if it is created, 200 if it exists."""
        cart, created = items.get_or_create_cart(current_customer(request))
        response = Response(represent(cart, request), status=201 if created else 200)
        response["Location"] = request.build_absolute_uri(f"/carts/{cart.pk}/")
        return conditional.with_etag(request, response)

    def update(self, request: Request, pk: str, partial: bool = False) -> Response:
        """Change the cart's details; check it out if `completed` is true, as `/checkout/` does."""
        serializer = CartWriteSerializer(data=request.data, partial=partial)
        serializer.is_valid(raise_exception=True)
        wanted = replace(self._checkout(request, pk), details=serializer.details())
        if serializer.validated_data.get("completed"):
            return self._complete(request, wanted)
        details.change(cart_id=self.get_object().pk, details=wanted.details, precondition=wanted.precondition)
        return conditional.with_etag(request, Response(represent(self.get_object(), request)))

    def partial_update(self, request: Request, pk: str) -> Response:
        return self.update(request, pk, partial=True)

    def perform_destroy(self, instance: Cart) -> None:
        items.delete_cart(cart_id=instance.pk, precondition=if_match_precondition(self.request))

    @extend_schema(
        summary="Merge a guest's cart into the user's",
        request=MergeSerializer,
        responses={200: MergedCartSerializer, 404: schema.problem("not-found")},
    )
    @action(detail=False, methods=["post"], permission_classes=[IsAuthenticated], allows_guests=False)
    def merge(self, request: Request) -> Response:
        """Add a guest's items to the user's cart, up to what is in stock. A second time changes nothing."""
        if not settings.GUEST_CHECKOUT:
            raise NotFound("This shop has no guests.")
        guest = find_guest(_validated(MergeSerializer(data=request.data))["guest_token"])
        if guest is None:
            raise NotFound("There is no guest with that token.")
        cart, capped = merging.merge(user=current_user(request), guest=guest)
        return Response({"cart": represent(cart, request), "capped": [vars(each) for each in capped]})

    @extend_schema(
        summary="List the delivery methods for the cart, with their prices", responses={200: OffersSerializer}
    )
    @action(detail=True, url_path="delivery-methods", pagination_class=None, filter_backends=[])
    def delivery_methods(self, request: Request, pk: str) -> Response:
        """All active methods, each with its price for this cart; `reason` says why one is not available."""
        offers = pricing.offers_for(self.get_object())
        return conditional.with_etag(request, Response(OffersSerializer({"results": offers}).data))

    @extend_schema(
        summary="Check the cart out",
        parameters=[key_parameter("order"), schema.IF_MATCH, REPLAYED],
        request=None,
        responses={201: OrderSerializer, **REFUSALS},
    )
    @action(detail=True, methods=["post"])
    def checkout(self, request: Request, pk: str) -> Response:
        """Make an order of the cart, all or nothing."""
        placed = place_order(self._checkout(request, pk))
        response = Response(represent_order(placed.order, request), status=201)
        response["Location"] = request.build_absolute_uri(f"/orders/{placed.order.number}/")
        return self._marked(conditional.with_etag(request, response), placed)

    def _complete(self, request: Request, wanted: Checkout) -> Response:
        placed = place_order(replace(wanted, take_snapshot=lambda cart: represent(cart, request)))
        cart = placed.cart_snapshot or {}
        return self._marked(Response({**cart, "completed": True, "order": placed.order.number}), placed)

    def _checkout(self, request: Request, pk: str) -> Checkout:
        return Checkout(
            cart_id=int(pk),
            customer=current_customer(request),
            any_owner=self.any_owner,
            key=idempotency_key(request),
            precondition=if_match_precondition(request),
        )

    @staticmethod
    def _marked(response: Response, placed: PlacedOrder) -> Response:
        if placed.replayed:
            response["Idempotent-Replayed"] = "true"
        return response


PREFER = OpenApiParameter(
    "Prefer",
    {"type": "string"},
    OpenApiParameter.HEADER,
    description="`return=representation; of=cart`: the response is the cart.",
)
ITEM_OR_CART = PolymorphicProxySerializer("ItemOrCart", [CartItemSerializer, CartSerializer], None)
ITEM_REFUSAL: dict[int, Any] = {409: schema.problem("insufficient-stock")}
ITEM_CHANGE: dict[str, Any] = {
    "parameters": [PREFER],
    "request": ItemQuantitySerializer,
    "responses": {200: ITEM_OR_CART, **ITEM_REFUSAL},
}


@extend_schema_view(
    list=extend_schema(summary="List the items of the user's own cart, or for staff of all carts"),
    retrieve=extend_schema(summary="Read an item"),
    create=extend_schema(
        summary="Add a product, or several, to the customer's cart",
        parameters=[PREFER],
        request=PolymorphicProxySerializer("NewItemOrItems", [NewItemSerializer, NewItemsSerializer], None),
        responses={
            200: OpenApiResponse(
                ITEM_OR_CART,
                description="The quantity of the existing item is raised; or with `items`, the cart.",
            ),
            201: ITEM_OR_CART,
            **ITEM_REFUSAL,
        },
    ),
    update=extend_schema(**ITEM_CHANGE, summary="Set an item's quantity"),
    partial_update=extend_schema(**ITEM_CHANGE, summary="Change an item's quantity"),
    destroy=extend_schema(
        summary="Remove an item from the cart",
        parameters=[PREFER],
        responses={200: OpenApiResponse(CartSerializer, description="Removed; the cart, as `Prefer` asks."), 204: None},
    ),
)
class CartItemViewSet(
    KnownParameters, mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.DestroyModelMixin, viewsets.GenericViewSet
):
    """The items of carts."""

    etags = schema.ETAGS
    queryset = CartItem.objects.all()
    serializer_class = CartItemSerializer
    permission_classes = [IsCustomer]
    allows_guests = True
    ordering_fields = {"id": "id"}
    ordering = "id"

    def get_queryset(self) -> QuerySet[CartItem]:
        rows = CartItem.objects.select_related("product").prefetch_related(ready_images("product__images"))
        verb = ACTIONS.get(self.request.method or "", "change")
        if is_staff_with(self.request.user, verb, CartItem):
            return rows
        owner = current_customer(self.request).owner
        return rows.filter(**{f"cart__{name}": value for name, value in owner.items()})

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return conditional.with_etag(request, super().list(request, *args, **kwargs))

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return conditional.with_etag(request, super().retrieve(request, *args, **kwargs))

    def create(self, request: Request) -> Response:
        """Add a product to the customer's cart: 201 with a new item, 200 with the raised quantity of an existing one.

        With `items` add several, all or none: 200 with the cart.
        """
        if isinstance(request.data, dict) and "items" in request.data:
            return self._create_several(request)
        data = _validated(NewItemSerializer(data=request.data))
        item, created = items.add(
            customer=current_customer(request), product_id=data["product"], quantity=data["quantity"]
        )
        response = self._respond(request, item, status=201 if created else 200)
        response["Location"] = request.build_absolute_uri(f"/cart-items/{item.pk}/")
        return response

    def _create_several(self, request: Request) -> Response:
        rows = _validated(NewItemsSerializer(data=request.data))["items"]
        cart = items.add_several(
            customer=current_customer(request), quantities=[(row["product"], row["quantity"]) for row in rows]
        )
        return conditional.with_etag(request, Response(represent(cart, request)))

    def update(self, request: Request, pk: str, partial: bool = False) -> Response:
        item = self.get_object()
        data = _validated(ItemQuantitySerializer(item, data=request.data, partial=partial))
        return self._respond(
            request,
            items.change_quantity(item=item, quantity=data.get("quantity"), precondition=self._precondition()),
        )

    def partial_update(self, request: Request, pk: str) -> Response:
        return self.update(request, pk, partial=True)

    def destroy(self, request: Request, pk: str) -> Response:
        item = self.get_object()
        items.remove(item=item, precondition=self._precondition())
        if wants_cart(request):
            return self._respond(request, item)
        return Response(status=204)

    def _precondition(self) -> Callable[[CartItem], None]:
        return conditional.precondition(self.request, lambda item: represent_item(item, self.request), "item")

    def _respond(self, request: Request, item: CartItem, status: int = 200) -> Response:
        """Respond with the item; with the cart if `Prefer` asks for it."""
        if not wants_cart(request):
            return conditional.with_etag(request, Response(represent_item(item, request), status=status))
        response = Response(represent(Cart.objects.get(pk=item.cart_id), request), status=status)
        response["Preference-Applied"] = "return=representation; of=cart"
        return conditional.with_etag(request, response)


def _validated(serializer: Serializer) -> dict[str, Any]:
    """Return the validated body. Raises ValidationError."""
    serializer.is_valid(raise_exception=True)
    return serializer.validated_data

"""Carts in the admin."""

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from carts.models import Cart, CartItem
from orders.models import Order
from productbackend.admin import ShopAdmin, begins_with
from productbackend.errors import DomainError
from products import stock

OWNERS_MAX = 200  # whose carts one search brings


class ItemForm(forms.ModelForm):
    class Meta:
        model = CartItem
        fields = ("product", "quantity")

    def clean(self) -> dict[str, Any]:
        """Say at its field that there is not enough, before anything is saved."""
        data = super().clean() or self.cleaned_data
        product, quantity = data.get("product"), data.get("quantity")
        if self.has_changed() and product and quantity:
            try:
                stock.check(wanted=stock.Wanted(product.pk, product.name, quantity))
            except DomainError as error:
                self.add_error("quantity", error.detail)
        return data


class ItemInline(admin.TabularInline):
    model = CartItem
    form = ItemForm
    extra = 0
    fields = ("product", "quantity", "unit_price", "line_total")
    readonly_fields = ("unit_price", "line_total")
    autocomplete_fields = ("product",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[CartItem]:
        return super().get_queryset(request).select_related("product")


@admin.register(Cart)
class CartAdmin(ShopAdmin):
    inlines = (ItemInline,)
    list_display = ("id", "user", "pieces", "worth", "updated_at")
    list_display_links = ("id", "user")
    sortable_by = ("id", "updated_at")
    list_select_related = ("user",)
    ordering = ("-updated_at", "-id")
    search_fields = ("user__username",)
    search_help_text = "The beginning of a user name."
    autocomplete_fields = ("user",)
    fields = ("user", "completed", "created_at", "updated_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Cart]:
        items = CartItem.objects.select_related("product").order_by("id")
        return super().get_queryset(request).prefetch_related(Prefetch("items", items))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("created_at", "updated_at") if obj is None else ("user", "created_at", "updated_at")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term:
            return queryset, False
        owners = get_user_model().objects.filter(begins_with("username_key", search_term)).order_by("username_key")
        return queryset.filter(user__in=list(owners.values_list("pk", flat=True)[:OWNERS_MAX])), False

    @admin.display(description="pieces")
    def pieces(self, cart: Cart) -> int:
        return cart.count

    @admin.display(description="total")
    def worth(self, cart: Cart) -> Decimal:
        return cart.total

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        # The items are saved after the cart: it is checked out when they are there.
        obj.completed = False
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if form.cleaned_data.get("completed"):
            form.instance.completed = True
            form.instance.completed_by = request.user
            form.instance.save()

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        return self._ordered(request, obj) if obj.completed else super().response_add(request, obj, post_url_continue)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        return self._ordered(request, obj) if obj.completed else super().response_change(request, obj)

    def _ordered(self, request: HttpRequest, cart: Cart) -> HttpResponse:
        """The cart is gone: lead to what became of it."""
        order = Order.objects.get(cart_id=cart.pk)
        self.message_user(request, f"The cart became order {order.number}.", messages.SUCCESS)
        if request.user.has_perm("orders.view_order"):
            return HttpResponseRedirect(reverse("admin:orders_order_change", args=[order.pk]))
        return HttpResponseRedirect(reverse("admin:carts_cart_changelist"))

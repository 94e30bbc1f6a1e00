"""Carts in the admin."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from carts import pricing
from carts.models import Cart, CartItem
from orders.models import Order
from productbackend.database.postal_addresses import PostalAddress
from productbackend.errors import DomainError
from productbackend.site.admin import ShopAdmin, begins_with
from productbackend.site.columns import amount
from productbackend.text.formats import money
from products.inventory import stock

OWNERS_MAX = 200  # owners that one search matches
# What the customer has said, and what the cart costs. They are shown: the API changes them.
DETAILS = (
    "contact_email", "phone", "note", "shipping", "billing", "delivery_method", "amounts", "tax", "missing",
)  # fmt: skip


class ItemForm(forms.ModelForm):
    class Meta:
        model = CartItem
        fields = ("product", "quantity")

    def clean(self) -> dict[str, Any]:
        """Report a shortage at the quantity field, before anything is saved."""
        data = super().clean() or self.cleaned_data
        product, quantity = data.get("product"), data.get("quantity")
        if self.has_changed() and product and quantity:
            try:
                stock.check(wanted=stock.StockRequest(product.pk, product.name, quantity))
            except DomainError as error:
                self.add_error("quantity", error.detail)
        return data


class ItemFormSet(forms.BaseInlineFormSet):
    def get_unique_error_message(self, unique_check: Sequence[str]) -> str:
        return "A cart has one item per product: add up the quantities, and remove the other item."


class ItemInline(admin.TabularInline):
    model = CartItem
    form = ItemForm
    formset = ItemFormSet
    extra = 0
    readonly_fields = (amount("unit_price", label="price"), amount("line_total", label="total"))
    fields = ("product", "quantity", *readonly_fields)
    autocomplete_fields = ("product",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[CartItem]:
        return super().get_queryset(request).select_related("product")


def _lines(address: PostalAddress | None) -> str:
    return "\n".join(address.lines) if address else "-"


def _quote(cart: Cart) -> pricing.Quote:
    return cart.quote or pricing.quote_cart(cart)


@admin.register(Cart)
class CartAdmin(ShopAdmin):
    section = "Orders"
    rank = 2
    inlines = (ItemInline,)
    list_display = ("id", "user", "pieces", "total", "updated_at")
    list_display_links = ("id", "user")
    sortable_by = ("id", "updated_at")
    list_select_related = ("user",)
    ordering = ("-updated_at", "-id")
    search_fields = ("user__username",)
    search_help_text = "The beginning of a user name."
    autocomplete_fields = ("user",)
    fields = ("user", "completed", *DETAILS, "created_at", "updated_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Cart]:
        items = CartItem.objects.select_related("product").order_by("id")
        return super().get_queryset(request).prefetch_related(Prefetch("items", items))

    def get_readonly_fields(self, request: HttpRequest, obj: Cart | None = None) -> tuple[str, ...]:
        shown = (*DETAILS, "created_at", "updated_at")
        return shown if obj is None else ("user", *shown)

    def get_fields(self, request: HttpRequest, obj: Cart | None = None) -> tuple[str, ...]:
        return self.fields if obj else ("user", "completed")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Cart], search_term: str
    ) -> tuple[QuerySet[Cart], bool]:
        if not search_term:
            return queryset, False
        owners = get_user_model().objects.filter(begins_with("username_key", search_term)).order_by("username_key")
        return queryset.filter(user__in=list(owners.values_list("pk", flat=True)[:OWNERS_MAX])), False

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Cart | None:
        """Return the cart; locked if the request saves or deletes it, as every write of its items locks it."""
        cart: Cart | None = super().get_object(request, object_id, from_field)
        if cart is None or request.method != "POST" or not connection.in_atomic_block:
            return cart
        Cart.objects.select_for_update().filter(pk=cart.pk).first()
        return super().get_object(request, object_id, from_field)

    @transaction.atomic
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Cart]) -> None:
        ids = list(queryset.order_by("pk").values_list("pk", flat=True))
        carts = Cart.objects.select_for_update().filter(pk__in=ids).order_by("pk")
        Cart.objects.filter(pk__in=[cart.pk for cart in carts]).delete()

    @admin.display(description="pieces")
    def pieces(self, cart: Cart) -> int:
        return cart.count

    @admin.display(description="total")
    def total(self, cart: Cart) -> str:
        return money(cart.total, settings.CURRENCY)

    @admin.display(description="e-mail address")
    def contact_email(self, cart: Cart) -> str:
        return cart.contact_email or "-"

    @admin.display(description="shipping address")
    def shipping(self, cart: Cart) -> str:
        return _lines(cart.shipping_address)

    @admin.display(description="billing address")
    def billing(self, cart: Cart) -> str:
        return _lines(cart.billing_address)

    @admin.display(description="amounts")
    def amounts(self, cart: Cart) -> str:
        sums = _quote(cart).amounts
        return f"{sums.items} goods + {sums.delivery} delivery: {sums.total} {settings.CURRENCY}"

    @admin.display(description="tax")
    def tax(self, cart: Cart) -> str:
        lines = [f"{line.tax} at {line.rate.normalize():f} %" for line in _quote(cart).amounts.tax_lines]
        return "\n".join(lines) or "-"

    @admin.display(description="missing for checkout")
    def missing(self, cart: Cart) -> str:
        return ", ".join(_quote(cart).missing).replace("_", " ") or "-"

    def save_model(self, request: HttpRequest, obj: Cart, form: forms.ModelForm, change: bool) -> None:
        # The admin saves the items after the cart: save_related checks it out.
        obj.completed = False
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: forms.ModelForm, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if form.cleaned_data.get("completed"):
            form.instance.completed = True
            form.instance.completed_by = request.user
            form.instance.save()

    def response_add(self, request: HttpRequest, obj: Cart, post_url_continue: str | None = None) -> HttpResponse:
        return (
            self._redirect_to_order(request, obj)
            if obj.completed
            else super().response_add(request, obj, post_url_continue)
        )

    def response_change(self, request: HttpRequest, obj: Cart) -> HttpResponse:
        return self._redirect_to_order(request, obj) if obj.completed else super().response_change(request, obj)

    def _redirect_to_order(self, request: HttpRequest, cart: Cart) -> HttpResponse:
        """Redirect to the order that replaced the cart."""
        order = Order.objects.get(cart_id=cart.pk)
        self.message_user(request, f"The cart became order {order.number}.", messages.SUCCESS)
        if request.user.has_perm("orders.view_order"):
            return HttpResponseRedirect(reverse("admin:orders_order_change", args=[order.pk]))
        return HttpResponseRedirect(reverse("admin:carts_cart_changelist"))

"""The URLs of the service."""

from typing import Any

from django.contrib import admin
from django.urls import include, path, re_path
from rest_framework.routers import SimpleRouter

from accounts import admin_login, two_factor_pages
from accounts import views as accounts
from accounts.address_views import AddressViewSet
from backoffice import admin as backoffice_admin
from backoffice.exports.views import OrderExportView, ProductExportView, StockExportView
from backoffice.feeds.views import GoogleView, SitemapIndexView, SitemapPartView
from backoffice.imports.views import ImportDetail, ImportList, ImportRows, ImportRun
from carts.views import CartItemViewSet, CartViewSet
from delivery.views import DeliveryMethodViewSet
from orders.views import OrderClaimView, OrderViewSet
from payments.staff.views import MarkPaidView, RefundListView
from payments.views import PaymentEventView, PaymentMethodsView, PaymentViewSet
from productbackend.api.views import (
    DocsView,
    LastResortView,
    LiveView,
    ProblemListView,
    ProblemView,
    ReadyView,
    RootView,
    SchemaView,
)
from productbackend.observability.access_log import LAST_RESORT
from productbackend.storages import media
from products.api.views import CategoryViewSet, ProductViewSet
from products.families.views import FamilyViewSet
from products.images import views
from taxes.views import TaxRateViewSet


class Router(SimpleRouter):
    """Matches whole numbers as ids; other paths are a 404."""

    def get_lookup_regex(self, viewset: Any, lookup_prefix: str = "") -> str:
        if not hasattr(viewset, "lookup_value_regex"):
            return f"(?P<{lookup_prefix}pk>[0-9]{{1,18}})"
        return super().get_lookup_regex(viewset, lookup_prefix)


router = Router()
router.register("categories", CategoryViewSet)
router.register("products", ProductViewSet)
router.register("families", FamilyViewSet)
router.register("carts", CartViewSet)
router.register("cart-items", CartItemViewSet)
router.register("orders", OrderViewSet)
router.register("account/addresses", AddressViewSet)
router.register("delivery-methods", DeliveryMethodViewSet)
router.register("tax-rates", TaxRateViewSet)

ORDER = r"^orders/(?P<number>[A-Za-z0-9-]{1,20})/"

ROOT_LINKS = {
    "categories": "/categories/",
    "products": "/products/",
    "facets": "/products/facets/",
    "families": "/families/",
    "carts": "/carts/",
    "cart_items": "/cart-items/",
    "orders": "/orders/",
    "delivery_methods": "/delivery-methods/",
    "payment_methods": "/payment-methods/",
    "tax_rates": "/tax-rates/",
    "account": "/account/",
    "addresses": "/account/addresses/",
    "register": "/register/",
    "token": "/token/",
    "documentation": "/api-docs/",
    "schema": "/api-schema/",
    "problems": "/problems/",
    "health": "/health/ready/",
}

urlpatterns = [
    path("", RootView.as_view(links=ROOT_LINKS)),
    path("", include(router.urls)),
    path("admin/login/", admin_login.login),
    path("admin/login/code/", two_factor_pages.code, name="two-factor-code"),
    path("admin/two-factor/", two_factor_pages.page, name="two-factor"),
    path("admin/password_change/", admin_login.password_change),
    path("admin/exports/<slug:kind>/", admin.site.admin_view(backoffice_admin.export_list), name="admin-export"),
    path("admin/", admin.site.urls),
    path("api-docs/", DocsView.as_view(url_name="schema"), name="docs"),
    path("api-schema/", SchemaView.as_view(), name="schema"),
    path("health/live/", LiveView.as_view()),
    path("health/ready/", ReadyView.as_view()),
    path("problems/", ProblemListView.as_view()),
    path("problems/<slug:name>/", ProblemView.as_view()),
    path("register/", accounts.RegisterView.as_view(), name="register"),
    path("guests/", accounts.GuestView.as_view(), name="guests"),
    path("token/", accounts.TokenView.as_view(), name="token"),
    path("token/refresh/", accounts.TokenRefreshView.as_view(), name="token-refresh"),
    path("token/revoke/", accounts.TokenRevokeView.as_view(), name="token-revoke"),
    path("token/revoke-all/", accounts.TokenRevokeAllView.as_view(), name="token-revoke-all"),
    path("account/", accounts.AccountView.as_view(), name="account"),
    path("account/orders/claim/", OrderClaimView.as_view(), name="orders-claim"),
    re_path(f"{ORDER}refunds/$", RefundListView.as_view(), name="refund-list"),
    re_path(f"{ORDER}mark-paid/$", MarkPaidView.as_view(), name="order-mark-paid"),
    path("account/password/", accounts.PasswordView.as_view(), name="account-password"),
    path("password-reset/", accounts.PasswordResetView.as_view(), name="password-reset"),
    path("password-reset/confirm/", accounts.PasswordResetConfirmView.as_view(), name="password-reset-confirm"),
    path("email/confirm/", accounts.EmailConfirmView.as_view(), name="email-confirm"),
    path("email/undo/", accounts.EmailUndoView.as_view(), name="email-undo"),
    path("products/<int:product_id>/images/", views.ImageList.as_view(), name="image-list"),
    path("products/<int:product_id>/images/order/", views.ImageOrder.as_view(), name="image-order"),
    path("products/<int:product_id>/images/<int:image_id>/", views.ImageDetail.as_view(), name="image-detail"),
    path(
        "products/<int:product_id>/images/<int:image_id>/original/",
        views.ImageOriginal.as_view(),
        name="image-original",
    ),
    path("payment-methods/", PaymentMethodsView.as_view(), name="payment-methods"),
    path("payment-events/<slug:provider>/", PaymentEventView.as_view(), name="payment-events"),
    path(
        "orders/<slug:number>/payments/",
        PaymentViewSet.as_view({"get": "list", "post": "create"}),
        name="payment-list",
    ),
    path("orders/<slug:number>/payments/<int:id>/", PaymentViewSet.as_view({"get": "retrieve"}), name="payment-detail"),
    path("exports/products/", ProductExportView.as_view(), name="export-products"),
    path("exports/stock/", StockExportView.as_view(), name="export-stock"),
    path("exports/orders/", OrderExportView.as_view(), name="export-orders"),
    path("imports/", ImportList.as_view(), name="import-list"),
    path("imports/<int:id>/", ImportDetail.as_view(), name="import-detail"),
    path("imports/<int:id>/rows/", ImportRows.as_view(), name="import-rows"),
    path("imports/<int:id>/run/", ImportRun.as_view(), name="import-run"),
    path("sitemap.xml", SitemapIndexView.as_view(), name="sitemap"),
    path("sitemap-<int:part>.xml", SitemapPartView.as_view(), name="sitemap-part"),
    path("feeds/google.xml", GoogleView.as_view(), name="feed-google"),
    path("media/<path:path>", media.rendition, name="rendition"),
    re_path("", LastResortView.as_view(), name=LAST_RESORT),
]

handler400 = "productbackend.api.problems.bad_request"
handler403 = "productbackend.api.problems.forbidden"
handler404 = "productbackend.api.problems.not_found"
handler500 = "productbackend.api.problems.server_error"

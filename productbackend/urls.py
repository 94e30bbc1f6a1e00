"""Every path of the service."""

from typing import Any

from django.contrib import admin
from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularAPIView
from rest_framework.routers import SimpleRouter

from accounts import views as accounts
from carts.views import CartItemViewSet, CartViewSet
from orders.views import OrderViewSet
from productbackend import media
from productbackend.access import LAST_RESORT
from productbackend.api.views import (
    DocsView,
    LastResortView,
    LiveView,
    ProblemListView,
    ProblemView,
    ReadyView,
    RootView,
)
from products import image_views
from products.views import CategoryViewSet, ProductViewSet


class Router(SimpleRouter):
    """Ids are whole numbers; anything else is a path that does not exist."""

    def get_lookup_regex(self, viewset: Any, lookup_prefix: str = "") -> str:
        if not hasattr(viewset, "lookup_value_regex"):
            return f"(?P<{lookup_prefix}pk>[0-9]{{1,18}})"
        return super().get_lookup_regex(viewset, lookup_prefix)


router = Router()
router.register("categories", CategoryViewSet)
router.register("products", ProductViewSet)
router.register("carts", CartViewSet)
router.register("cart-items", CartItemViewSet)
router.register("orders", OrderViewSet)

urlpatterns = [
    path("", RootView.as_view()),
    path("admin/", admin.site.urls),
    path("api-docs/", DocsView.as_view(url_name="schema"), name="docs"),
    path("api-schema/", SpectacularAPIView.as_view(), name="schema"),
    path("health/live/", LiveView.as_view()),
    path("health/ready/", ReadyView.as_view()),
    path("problems/", ProblemListView.as_view()),
    path("problems/<slug:name>/", ProblemView.as_view()),
    path("register/", accounts.RegisterView.as_view(), name="register"),
    path("token/", accounts.TokenView.as_view(), name="token"),
    path("token/refresh/", accounts.TokenRefreshView.as_view(), name="token-refresh"),
    path("token/revoke/", accounts.TokenRevokeView.as_view(), name="token-revoke"),
    path("token/revoke-all/", accounts.TokenRevokeAllView.as_view(), name="token-revoke-all"),
    path("account/", accounts.AccountView.as_view(), name="account"),
    path("account/password/", accounts.PasswordView.as_view(), name="account-password"),
    path("password-reset/", accounts.PasswordResetView.as_view(), name="password-reset"),
    path("password-reset/confirm/", accounts.PasswordResetConfirmView.as_view(), name="password-reset-confirm"),
    path("email/confirm/", accounts.EmailConfirmView.as_view(), name="email-confirm"),
    path("", include(router.urls)),
    path("products/<int:product_id>/images/", image_views.ImageList.as_view(), name="image-list"),
    path("products/<int:product_id>/images/order/", image_views.ImageOrder.as_view(), name="image-order"),
    path("products/<int:product_id>/images/<int:image_id>/", image_views.ImageDetail.as_view(), name="image-detail"),
    path(
        "products/<int:product_id>/images/<int:image_id>/original/",
        image_views.ImageOriginal.as_view(),
        name="image-original",
    ),
    path("media/<path:path>", media.rendition, name="rendition"),
    re_path("", LastResortView.as_view(), name=LAST_RESORT),
]

handler400 = "productbackend.api.problems.bad_request"
handler403 = "productbackend.api.problems.forbidden"
handler404 = "productbackend.api.problems.not_found"
handler500 = "productbackend.api.problems.server_error"

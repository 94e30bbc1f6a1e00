"""Every path of the service."""

from django.contrib import admin
from django.urls import path

from productbackend import media
from products import image_views

urlpatterns = [
    path("admin/", admin.site.urls),
    path("products/<int:product_id>/images/", image_views.ImageList.as_view(), name="image-list"),
    path("products/<int:product_id>/images/order/", image_views.ImageOrder.as_view(), name="image-order"),
    path("products/<int:product_id>/images/<int:image_id>/", image_views.ImageDetail.as_view(), name="image-detail"),
    path(
        "products/<int:product_id>/images/<int:image_id>/original/",
        image_views.ImageOriginal.as_view(),
        name="image-original",
    ),
    path("media/<path:path>", media.rendition, name="rendition"),
]

from django.apps import AppConfig
from django.db.models.signals import post_delete


class ProductsConfig(AppConfig):
    name = "products"

    def ready(self) -> None:
        from products import signals

        post_delete.connect(signals.image_deleted, sender="products.ProductImage", dispatch_uid="image_files")

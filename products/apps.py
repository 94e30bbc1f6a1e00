from django.apps import AppConfig
from django.db.models.signals import post_save, pre_save


class ProductsConfig(AppConfig):
    name = "products"

    def ready(self) -> None:
        from products import signals

        category, product = self.get_model("Category"), self.get_model("Product")
        pre_save.connect(signals.category_will_be_saved, sender=category, dispatch_uid="category_place")
        post_save.connect(signals.category_saved, sender=category, dispatch_uid="category_lineage")
        post_save.connect(signals.product_saved, sender=product, dispatch_uid="product_initial_stock")

from django.apps import AppConfig
from django.db.models.signals import post_delete, post_migrate, post_save, pre_save


class ProductsConfig(AppConfig):
    name = "products"

    def ready(self) -> None:
        from productbackend.metrics import gauges
        from products import images, ledger, search_index, signals

        category, product, image = (self.get_model(name) for name in ("Category", "Product", "ProductImage"))
        pre_save.connect(signals.category_will_be_saved, sender=category, dispatch_uid="category_place")
        post_save.connect(signals.category_saved, sender=category, dispatch_uid="category_lineage")
        post_save.connect(signals.product_saved, sender=product, dispatch_uid="product_initial_stock")
        post_delete.connect(signals.image_deleted, sender=image, dispatch_uid="image_files")
        post_save.connect(signals.image_saved, sender=image, dispatch_uid="cache_image_saved")
        post_delete.connect(signals.catalogue_written, sender=image, dispatch_uid="cache_image_deleted")
        for model in (category, product):
            for signal in (post_save, post_delete):
                signal.connect(signals.catalogue_written, sender=model, dispatch_uid=f"cache_{model.__name__}")
        gauges.register(
            "productbackend_image_oldest_pending_seconds",
            "How long the picture that has waited longest for a worker has waited; 0 where none waits.",
            images.longest_wait,
        )
        gauges.register(
            "productbackend_stock_drift_products",
            "Products whose quantity is not the sum of their movements, by the last check.",
            ledger.drift,
        )
        gauges.register(
            "productbackend_stock_check_timestamp_seconds",
            "When all products were last checked; 0 for never.",
            ledger.checked_at,
        )
        post_migrate.connect(search_index.look_after, sender=self, dispatch_uid="search_index")

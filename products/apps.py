from django.apps import AppConfig
from django.db.models.signals import post_delete, post_migrate, post_save, pre_delete, pre_save


class ProductsConfig(AppConfig):
    name = "products"

    def ready(self) -> None:
        from productbackend.database import replica, verification
        from productbackend.observability.metrics import gauges
        from productbackend.storages import media
        from products.api import openapi
        from products.images import files, lifecycle
        from products.inventory import ledger
        from products.search import index

        openapi.register()
        self.connect_signals()
        self.record_changes()
        gauges.register(
            "productbackend_image_oldest_pending_seconds",
            "The age of the oldest image that waits for a worker; 0 if there is none.",
            lifecycle.oldest_pending_seconds,
            waiting="picture",
            alert="ImagesWaiting",
        )
        gauges.register(
            "productbackend_stock_drift_products",
            "Products whose quantity differs from the sum of their movements, by the last check.",
            ledger.drift,
        )
        gauges.register(
            "productbackend_stock_check_timestamp_seconds",
            "The time of the last complete check of all products; 0 for never.",
            ledger.checked_at,
        )
        verification.COMMANDS.update({"stock": "check_stock", "media": "check_media"})
        replica.APPS.add(self.label)
        media.FOLDERS.add(files.FOLDER)
        post_migrate.connect(index.ensure_search_index, sender=self, dispatch_uid="search_index")

    def connect_signals(self) -> None:
        from products import signals

        category, product, image = (self.get_model(name) for name in ("Category", "Product", "ProductImage"))
        family = self.get_model("Family")
        pre_save.connect(signals.category_will_be_saved, sender=category, dispatch_uid="category_place")
        post_save.connect(signals.category_saved, sender=category, dispatch_uid="category_lineage")
        pre_save.connect(signals.product_will_be_saved, sender=product, dispatch_uid="product_membership")
        post_save.connect(signals.product_saved, sender=product, dispatch_uid="product_initial_stock")
        post_delete.connect(signals.product_deleted, sender=product, dispatch_uid="product_membership")
        pre_delete.connect(signals.family_will_be_deleted, sender=family, dispatch_uid="family_members")
        post_delete.connect(signals.family_deleted, sender=family, dispatch_uid="family_slugs")
        post_delete.connect(signals.image_deleted, sender=image, dispatch_uid="image_files")
        post_save.connect(signals.image_saved, sender=image, dispatch_uid="cache_image_saved")
        post_delete.connect(signals.catalogue_written, sender=image, dispatch_uid="cache_image_deleted")
        for model in (category, product):
            post_delete.connect(signals.row_deleted, sender=model, dispatch_uid=f"suggestions_{model.__name__}")
        for model in (category, product, family):
            for signal in (post_save, post_delete):
                signal.connect(signals.catalogue_written, sender=model, dispatch_uid=f"cache_{model.__name__}")

    def record_changes(self) -> None:
        from productbackend.database.changes import Kind
        from productbackend.database.recorded import register

        product, category = self.get_model("Product"), self.get_model("Category")
        # The quantity has a ledger of its own.
        fields = (
            "name", "sku", "slug", "brand", "description", "category", "price", "tax_class", "rating", "is_active",
            "family", "options",
        )  # fmt: skip
        register(Kind(product, fields, name="{name}", key="sku"))
        family = ("name", "slug", "description", "category", "brand", "axes")
        register(Kind(self.get_model("Family"), family, name="{name}", key="slug"))
        register(Kind(category, ("name", "slug", "parent", "position"), name="{name}", key="slug"))

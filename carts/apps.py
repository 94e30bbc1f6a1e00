from django.apps import AppConfig
from django.db.models.signals import post_save, pre_save


class CartsConfig(AppConfig):
    name = "carts"

    def ready(self) -> None:
        from carts import signals

        pre_save.connect(signals.item_will_be_saved, sender=self.get_model("CartItem"), dispatch_uid="item_stock")
        post_save.connect(signals.cart_saved, sender=self.get_model("Cart"), dispatch_uid="cart_completed")

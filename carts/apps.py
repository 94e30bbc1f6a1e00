from django.apps import AppConfig
from django.db.models.signals import post_save, pre_save

from accounts.signals import account_closed


class CartsConfig(AppConfig):
    name = "carts"

    def ready(self) -> None:
        from carts import anonymization, openapi, signals

        openapi.register()
        account_closed.connect(anonymization.on_account_closed, dispatch_uid="carts.forget")
        pre_save.connect(signals.cart_item_pre_save, sender=self.get_model("CartItem"), dispatch_uid="item_stock")
        post_save.connect(signals.cart_post_save, sender=self.get_model("Cart"), dispatch_uid="cart_completed")
        account_closed.connect(signals.account_closed, dispatch_uid="carts.discard")

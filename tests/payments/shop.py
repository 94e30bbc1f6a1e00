"""A shop whose orders took every path that an order and its money can take."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import F

from orders import lifecycle
from orders.models import Order, OrderLine
from payments.models import Payment, Refund
from products.inventory import stock
from products.models import Product
from tests import factories
from tests.orders.placed import place
from tests.payments.books import Books
from tests.payments.paying import TOTAL, paid_order, pending_order, settle_by, started

FIVE = Decimal("5.00")


@dataclass
class Shop:
    """Orders that took each path, by its name, and the payments of those that have one."""

    orders: dict[str, Order]
    payments: dict[str, Payment]


def refunded(books: Books, order: Order, payment: Payment, amount: Decimal = FIVE) -> Refund:
    """A refund that staff asked for, done."""
    refund = Refund.objects.create(order=order, payment=payment, amount=amount)
    books.refund(payment.reference or "", amount=amount, key=refund.key)
    settle_by(books, payment)
    return refund


def restocked(line: OrderLine) -> None:
    """Put a piece of the line back in stock, as a refund does."""
    assert line.product_id
    stock.restock(quantities={line.product_id: 1}, order_number=line.order.number, user=None)
    OrderLine.objects.filter(pk=line.pk).update(restocked=F("restocked") + 1)


def send_refunds(books: Books) -> None:
    """Send the automatic refunds that are pending, and settle them."""
    for refund in Refund.objects.filter(status=Refund.Status.PENDING):
        books.refund(refund.payment.reference or "", amount=refund.amount, key=refund.key)
        settle_by(books, refund.payment)


def late(books: Books, product: Product) -> tuple[Order, Payment]:
    """An order that was paid after it had expired."""
    order = pending_order(product)
    payment = started(books, order)
    lifecycle.expire(lifecycle.locked_order(order.pk))
    if product.name == "Gone":
        Product.objects.filter(pk=product.pk).update_without_invalidation(is_active=False)
    books.pay(payment.reference or "")
    settle_by(books, payment)
    return Order.objects.get(pk=order.pk), payment


def every_path(books: Books, settings: Any) -> Shop:
    settings.PAYMENT_METHODS = []
    factories.user("carla")
    without = Order.objects.get(number=place("carla", (factories.product("Bag"), 1)))
    settings.PAYMENT_METHODS = ["books"]
    product, two = factories.product("Hat", quantity=100), factories.product("Shoe", quantity=100)
    orders = {"without payments": without, "pending": pending_order(product), "expired": pending_order(product)}
    payments = {"pending": started(books, orders["pending"])}
    lifecycle.expire(lifecycle.locked_order(orders["expired"].pk))
    for name in ("paid", "refunded", "came back", "restocked", "cancelled", "charged back", "won", "twice"):
        orders[name], payments[name] = paid_order(books, product if name != "restocked" else two)
    refunded(books, orders["refunded"], payments["refunded"])
    refunded(books, orders["came back"], payments["came back"])
    books.return_refunds(payments["came back"].reference or "")
    settle_by(books, payments["came back"])
    refunded(books, orders["restocked"], payments["restocked"], TOTAL)
    restocked(orders["restocked"].items[0])
    lifecycle.cancel(order_id=orders["cancelled"].pk, user=None)
    settle_by(books, payments["cancelled"])
    for name in ("charged back", "won"):
        books.charge_back(payments[name].reference or "")
        settle_by(books, payments[name])
    books.reverse_chargeback(payments["won"].reference or "")
    settle_by(books, payments["won"])
    second = started(books, orders["twice"], open_key=f"{orders['twice'].pk}:books")
    books.pay(second.reference or "")
    settle_by(books, second)
    orders["part"] = pending_order(product)
    payments["part"] = started(books, orders["part"])
    books.pay(payments["part"].reference or "", FIVE)
    settle_by(books, payments["part"])
    orders["late"], payments["late"] = late(books, product)
    orders["too late"], payments["too late"] = late(books, factories.product("Gone", quantity=1))
    send_refunds(books)
    return Shop(orders, payments)

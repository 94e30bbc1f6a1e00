"""Orders that wait for money, and their payments."""

from decimal import Decimal
from typing import Any

from accounts.models import User
from orders.models import Order
from payments.models import Payment
from payments.providers.base import Attempt
from payments.settling import settle
from products.models import Product
from tests import factories
from tests.orders.placed import place
from tests.payments.books import Books

TOTAL = Decimal("19.90")


def pending_order(product: Product | None = None, username: str = "carla") -> Order:
    """The user's order of one piece that waits for its money; the fixture `books` lets checkout write it so."""
    if not User.objects.filter(username=username).exists():
        factories.user(username)
    number = place(username, (product or factories.product(), 1))
    order = Order.objects.get(number=number)
    assert order.status == Order.Status.PENDING
    return order


def started(books: Books, order: Order, **fields: Any) -> Payment:
    """A payment of the order that is open in the books and in ours."""
    given = {"method": "books", "amount": order.total, "currency": order.currency} | fields
    payment = Payment(order=order, **given)
    if payment.method == "books" and "open_key" not in fields and not Payment.objects.filter(order=order).exists():
        payment.open_key = f"{order.pk}:books"
    payment.save()
    attempt = Attempt(payment.key, order.number, payment.amount, payment.currency, "")
    begun = books.start(attempt)
    payment.reference, payment.client_secret = begun.reference, begun.client_secret
    payment.save(update_fields=["reference", "client_secret"])
    return payment


def settle_by(books: Books, payment: Payment) -> Payment:
    """Settle the payment by what the books have."""
    return settle(payment_id=payment.pk, snapshot=books.rows[payment.reference or ""])


def paid_order(books: Books, product: Product | None = None) -> tuple[Order, Payment]:
    """An order that was paid by the books, and its payment."""
    order = pending_order(product)
    payment = started(books, order)
    books.pay(payment.reference or "")
    settle_by(books, payment)
    return Order.objects.get(pk=order.pk), Payment.objects.get(pk=payment.pk)

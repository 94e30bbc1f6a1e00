"""The mail about a refund says its amount, and what is refunded altogether if that is more."""

from decimal import Decimal
from typing import Any

import pytest

from orders.mails import REFUNDED, render_mail
from orders.models import Order
from orders.samples import sample_order
from payments import refunds, sending
from payments.refunds import RefundRequest
from tests import factories
from tests.mail import deliver
from tests.payments.books import Books
from tests.payments.paying import paid_order

pytestmark = pytest.mark.django_db


def mails(number: str) -> list[Any]:
    return [mail for mail in deliver() if mail.subject.endswith(f"a refund for your order {number}")]


def refund(order: Order, amount: str) -> None:
    made, _ = refunds.create(RefundRequest(order.pk, factories.account("stella"), amount=Decimal(amount)))
    sending.send(made.pk)


def both(mail: Any) -> list[str]:
    return [str(mail.body), str(mail.alternatives[0][0]).replace("<b>", "").replace("</b>", "")]


def test_each_refund_is_told_with_its_amount(books: Books) -> None:
    order, _ = paid_order(books)
    factories.user("stella", is_staff=True)
    refund(order, "5.00")
    [first] = mails(order.number)
    refund(order, "2.50")
    [second] = mails(order.number)
    for text in both(first):
        assert "We have sent 5.00 EUR back to you" in text
        assert "Altogether" not in text
    for text in both(second):
        assert "We have sent 2.50 EUR back to you" in text
        assert "Altogether, 7.50 EUR of this order are refunded." in text


def test_a_preview_shows_the_last_refund(books: Books) -> None:
    order, _ = paid_order(books)
    factories.user("stella", is_staff=True)
    for amount in ("5.00", "2.50"):
        refund(order, amount)
    shown = render_mail(REFUNDED, Order.objects.get(pk=order.pk))
    assert "We have sent 2.50 EUR back" in shown.text
    assert "Altogether, 7.50 EUR" in shown.html.replace("<b>", "").replace("</b>", "")
    assert "We have sent 59.90 EUR back" in render_mail(REFUNDED, sample_order()).text

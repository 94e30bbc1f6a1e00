"""The mails about orders: placed, sent and cancelled, each once."""

from decimal import Decimal
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.db import IntegrityError, transaction
from rest_framework.test import APIClient

from accounts.models import User
from orders import lifecycle
from orders.mails import CONFIRMATION, REFUNDED, enqueue_mail
from orders.models import Order
from outbox import sending
from outbox.models import Mail
from tests import factories
from tests.guests import GuestClient
from tests.guests import order as order_of_guest
from tests.mail import deliver
from tests.orders.placed import place, place_with_everything

pytestmark = pytest.mark.django_db

TRACKING = {"carrier": "Post & Sons", "tracking_number": "JD<1>", "tracking_url": "https://post.example.com/?a=1&b=2"}


def html_of(mail: EmailMessage) -> str:
    html, kind = mail.alternatives[0]  # type: ignore[attr-defined]
    assert kind == "text/html"
    return str(html)


def test_the_confirmation_has_lines_amounts_and_addresses(customer: APIClient) -> None:
    number = place_with_everything("carla", (factories.product("<Red> shoe", sku="RED-1"), 2))
    (mail,) = deliver()
    assert mail.to == ["carla@example.com"]
    assert mail.subject == f"Product Backend: your order {number}"
    text, html = str(mail.body), html_of(mail)
    for line in (
        "2 x <Red> shoe (RED-1), 19.90 EUR each: 39.80 EUR",
        "Delivery, Parcel & more: 4.90 EUR",
        "Total: 44.70 EUR",
        "Tax included, 19 % of 37.57 EUR: 7.13 EUR",
        "Shipping address:\nCarla <Coe>\nHauptstraße 1\n10115 Berlin\nGermany\n",
        "Billing address:\nCoe GmbH\nRechnungsweg 2\n",
    ):
        assert line in text, text
    for part in ("&lt;Red&gt; shoe", "RED-1", "Parcel &amp; more", "44.70 EUR", "7.13 EUR", "Carla &lt;Coe&gt;", "Coe"):
        assert part in html, html
    assert "<Red>" not in html
    assert "twice" not in text + html  # the note is for the shop


def test_the_amounts_of_a_net_shop(customer: APIClient, settings: Any) -> None:
    settings.PRICES_INCLUDE_TAX = False
    place_with_everything("carla", (factories.product(), 2))
    (mail,) = deliver()
    assert "Tax, 19 % of 44.70 EUR: 8.49 EUR\nTotal: 53.19 EUR\n" in str(mail.body)


def test_an_order_without_delivery_and_tax_has_a_short_mail(customer: APIClient) -> None:
    number = place("carla", (factories.product(sku="R-1"), 1))
    (mail,) = deliver()
    thanks, *others = str(mail.body).split("\n\n")
    assert thanks.startswith(f"Thank you for your order {number} of ")
    assert others == ["1 x Red shoe (R-1), 19.90 EUR each: 19.90 EUR", "Total: 19.90 EUR", "Product Backend\n"]


def test_the_mail_of_a_fulfilled_order_has_its_tracking_and_is_sent_once(customer: APIClient, staff: APIClient) -> None:
    number = place_with_everything("carla", (factories.product(), 1))
    deliver()
    assert [staff.post(f"/orders/{number}/fulfil/", TRACKING).status_code for _ in range(3)] == [200, 409, 409]
    (mail,) = deliver()
    assert mail.subject == f"Product Backend: your order {number} is on its way"
    text, html = str(mail.body), html_of(mail)
    assert "Carrier: Post & Sons\nTracking number: JD<1>\nFollow it: https://post.example.com/?a=1&b=2\n" in text
    assert 'href="https://post.example.com/?a=1&amp;b=2"' in html
    assert "JD&lt;1&gt;" in html
    assert Mail.objects.filter(kind="order-sent").count() == 1


def test_an_order_without_an_address_is_ready(customer: APIClient, staff: APIClient) -> None:
    number = place("carla", (factories.product(), 1))
    deliver()
    staff.post(f"/orders/{number}/fulfil/")
    (mail,) = deliver()
    assert mail.subject.endswith("is ready")
    assert "Tracking" not in str(mail.body)


def test_a_cancelled_order_has_one_mail(guest: GuestClient, staff: APIClient) -> None:
    number = order_of_guest(guest)
    deliver()
    for client in (guest, guest, staff):
        assert client.post(f"/orders/{number}/cancel/").status_code == 200
    (mail,) = deliver()
    assert mail.to == ["gast@example.com"]
    assert mail.subject == f"Product Backend: your order {number} is cancelled"
    assert "19.90 EUR" in str(mail.body)
    assert Mail.objects.filter(kind="order-cancelled").count() == 1


def test_a_refused_step_has_no_mail(customer: APIClient, staff: APIClient) -> None:
    number = place("carla", (factories.product(), 1))
    staff.post(f"/orders/{number}/fulfil/")
    staff.post(f"/orders/{number}/cancel/")
    assert list(Mail.objects.order_by("pk").values_list("kind", flat=True)) == ["order-confirmation", "order-sent"]


def test_names_of_any_kind_are_shown(customer: APIClient) -> None:
    names = ["ш" * 200, "حذاء أحمر", "👟👩‍👩‍👧 shoe"]
    place("carla", *((factories.product(name, sku=f"S{number}"), 1) for number, name in enumerate(names)))
    (mail,) = deliver()
    for name in names:
        assert f"1 x {name} (" in str(mail.body)
        assert f'<span dir="auto">{name}</span>' in html_of(mail)


def test_the_mail_of_a_deleted_order_is_deleted(customer: APIClient) -> None:
    place("carla", (factories.product(), 1))
    Order.objects.all().delete()
    sending.send(Mail.objects.get().pk)
    assert not Mail.objects.exists()


def test_an_order_without_an_e_mail_address_has_no_mail(staff: APIClient) -> None:
    factories.user("carla", email=None)
    assert User.objects.get(username="carla").email is None
    number = place("carla", (factories.product(), 1))
    assert staff.post(f"/orders/{number}/cancel/").status_code == 200
    assert not Mail.objects.exists()


def test_a_second_confirmation_is_refused_by_the_database(customer: APIClient) -> None:
    order = Order.objects.get(number=place("carla", (factories.product(), 1)))
    with pytest.raises(IntegrityError), transaction.atomic():
        enqueue_mail(CONFIRMATION, order, is_first=True)
    enqueue_mail(CONFIRMATION, order)
    assert Mail.objects.count() == 1


@pytest.mark.parametrize("methods", [["transfer"], ["test"]])
def test_the_confirmation_of_an_order_that_waits_for_money(
    customer: APIClient, settings: Any, methods: list[str]
) -> None:
    settings.PAYMENT_METHODS, settings.TRANSFER_INSTRUCTIONS = methods, "IBAN DE00 <Example>"
    number = place("carla", (factories.product(), 1))
    (mail,) = deliver()
    text, html = str(mail.body), html_of(mail)
    expires_at = Order.objects.get(number=number).expires_at
    assert expires_at is not None
    for part in (text, html):
        assert "It waits for your payment of" in part
        assert "19.90 EUR" in part
        assert f"until {expires_at:%-d %B %Y, %H:%M}" in part
    assert ("IBAN DE00 <Example>" in text) == ("IBAN DE00 &lt;Example&gt;" in html) == (methods == ["transfer"])


def test_an_order_that_was_paid_meanwhile_does_not_wait(customer: APIClient, settings: Any) -> None:
    settings.PAYMENT_METHODS = ["test"]
    number = place("carla", (factories.product(), 1))
    with transaction.atomic():
        lifecycle.pay(lifecycle.locked_order(Order.objects.get(number=number).pk))
    confirmation, paid = deliver()
    assert "waits" not in str(confirmation.body)
    assert paid.subject == f"Product Backend: your order {number} is paid"
    for text in (str(paid.body), html_of(paid)):
        assert "19.90 EUR" in text


def test_an_expired_order_says_what_late_money_does(customer: APIClient, settings: Any) -> None:
    settings.PAYMENT_METHODS = ["test"]
    number = place("carla", (factories.product(), 1))
    with transaction.atomic():
        lifecycle.expire(lifecycle.locked_order(Order.objects.get(number=number).pk))
    expired = deliver()[-1]
    assert expired.subject == f"Product Backend: your order {number} has expired"
    assert "your money back" in str(expired.body)


def test_a_refund_is_told_with_its_sum(customer: APIClient) -> None:
    number = place("carla", (factories.product(), 2))
    Order.objects.update(refunded=Decimal("1234.50"))
    order = Order.objects.get(number=number)
    for cause in ("1", "2", "2"):
        enqueue_mail(REFUNDED, order, cause=cause)
    refunds = [mail for mail in deliver() if mail.subject == f"Product Backend: a refund for your order {number}"]
    assert len(refunds) == 2
    assert all("We have sent 1,234.50 EUR back" in str(mail.body) for mail in refunds)

"""Money in the admin: the order's page, refunds, mark as paid, and the money that waits for staff."""

import html
import re
from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from orders.models import Order
from payments import differences, refunds, sending
from payments.admin import waiting
from payments.marking import mark_paid
from payments.models import Difference, MoneyMovement, Payment, ProviderEvent, Refund
from payments.providers.base import RefundState
from payments.refunds import RefundItem, RefundRequest
from products.models import Product
from tests import factories
from tests.orders.placed import place
from tests.payments.books import Books
from tests.payments.paying import TOTAL, paid_order, pending_order, settle_by, started
from tests.site.pages import confirm, run_action, url

pytestmark = pytest.mark.django_db

NUMBERS = count(1)
WAITING = "/admin/payments/payment/waiting/"


def signed_in(*permissions: str) -> Client:
    user = factories.user(f"staff{next(NUMBERS)}", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def admin(db: Any) -> Client:
    client = Client()
    client.force_login(factories.user("stella", is_staff=True, is_superuser=True))
    return client


def words(response: Any) -> str:
    """The text of a page, with single spaces."""
    assert response.status_code == 200
    page = response.content.decode()
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


def order_page(client: Client, order: Order) -> str:
    return words(client.get(url("orders.order", "change", order.pk)))


def refund_path(order: Order) -> str:
    return url("payments.payment", "refund", order.pk)


def fields(client: Client, order: Order, **given: Any) -> dict[str, Any]:
    """The form of the refund page, filled out."""
    page = client.get(refund_path(order)).content.decode()
    [key] = re.findall(r'name="key" value="(\w+)"', page)
    return {"key": key} | given


def confirmed(client: Client, order: Order, form: dict[str, Any]) -> dict[str, str]:
    """What the button below the form's preview adds to it."""
    page = client.post(refund_path(order), form).content.decode()
    return {"confirmed": re.findall(r'name="confirmed" value="([^"]+)"', page)[0]}


def log(order: Order) -> list[tuple[str, str]]:
    rows = LogEntry.objects.filter(object_id=str(order.pk)).order_by("pk")
    return [(row.user.username, row.get_change_message()) for row in rows]


def test_the_order_shows_its_money(books: Books, admin: Client) -> None:
    order, payment = paid_order(books)
    refund, _ = refunds.create(RefundRequest(order.pk, factories.account("stella"), amount=Decimal(5), reason="Late"))
    sending.send(refund.pk)
    page = order_page(admin, order)
    for part in (payment.reference, "Succeeded", "capture", "Late", "5.00", "Refund", "5.00 EUR"):
        assert str(part).lower() in page.lower(), part
    assert "Mark as paid" not in page
    assert "Fulfil" in page


def test_a_pending_order_is_neither_packed_nor_refunded(books: Books, admin: Client) -> None:
    page = order_page(admin, pending_order())
    assert "Mark as paid" in page
    assert "Cancel" in page
    for part in ("Packing slip", "Fulfil", "Refund order"):
        assert part not in page


def test_the_amount_is_shown_before_it_is_refunded(books: Books, admin: Client) -> None:
    order, _ = paid_order(books)
    line = order.items[0]
    form = fields(admin, order, **{f"take_{line.pk}": "on", f"pieces_{line.pk}": 1, f"restock_{line.pk}": "on"})
    before = Product.objects.get().quantity
    preview = words(admin.post(refund_path(order), form))
    assert "19.90 EUR will be refunded to the customer" in preview
    assert f"1 × {line.sku} (restocked)" in preview
    assert not Refund.objects.exists()
    form |= confirmed(admin, order, form)
    answer = admin.post(refund_path(order), form, follow=True)
    assert "A refund of 19.90 EUR is pending." in words(answer)
    refund = Refund.objects.get()
    assert (refund.amount, refund.user, refund.lines.get().restock) == (TOTAL, factories.account("stella"), True)
    assert Product.objects.get().quantity == before + 1
    assert log(order) == [("stella", "A refund of 19.90 EUR is pending.")]
    assert f"1 × {line.sku} (restocked)" in words(answer)
    # A second click makes no second refund, nor does another amount after the browser's "Back"; and the page says so.
    for again in ({}, {"amount": "5.00"}):
        answer = admin.post(refund_path(order), form | again, follow=True)
        assert "Nothing more was refunded." in words(answer)
    assert Refund.objects.count() == 1


def test_another_amount_than_the_confirmed_one_is_shown_again(books: Books, admin: Client) -> None:
    order, _ = paid_order(books)
    form = fields(admin, order, amount="6.00")
    button = confirmed(admin, order, form | {"amount": "5.00"})
    answer = admin.post(refund_path(order), form | button)
    assert "6.00 EUR will be refunded" in words(answer)
    assert not Refund.objects.exists()


def test_other_pieces_of_the_same_amount_are_shown_again(books: Books, admin: Client) -> None:
    order, payment = paid_order(books)
    order.lines.create(sku="HAT", name="Hat", unit_price=TOTAL, quantity=1)
    one, two = order.lines.all()
    form = fields(admin, order)
    button = confirmed(admin, order, form | {f"take_{one.pk}": "on"})
    assert "1 × HAT" in words(admin.post(refund_path(order), form | {f"take_{two.pk}": "on"} | button))
    assert not Refund.objects.exists()
    assert admin.post(refund_path(order), form | {f"take_{one.pk}": "on"} | button).status_code == 302
    assert Refund.objects.get().payment == payment


def test_what_cannot_be_refunded_any_more_is_not_confirmed(books: Books, admin: Client) -> None:
    order, _ = paid_order(books)
    form = fields(admin, order, amount="10.00")
    form |= confirmed(admin, order, form)
    refunds.create(RefundRequest(order.pk, factories.account("stella"), amount=Decimal(10)))
    page = words(admin.post(refund_path(order), form))
    assert "At most 9.90 EUR can be refunded" in page
    assert "will be refunded" not in page


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"amount": "19.91"}, "At most 19.90 EUR can be refunded"),
        ({}, "Give an amount, or items"),
        ({"amount": "0.00"}, "greater than or equal to 0.01"),
    ],
)
def test_what_cannot_be_refunded_is_said(books: Books, admin: Client, given: dict[str, str], error: str) -> None:
    order, _ = paid_order(books)
    assert error in words(admin.post(refund_path(order), fields(admin, order, **given)))
    assert not Refund.objects.exists()


def test_an_order_is_marked_as_paid(books: Books, admin: Client) -> None:
    order = pending_order()
    path = url("payments.payment", "mark_paid", order.pk)
    assert "19.90 EUR" in words(admin.get(path))
    assert "It must be the order's total" in words(admin.post(path, {"amount": "19.80", "reference": "Line 4"}))
    answer = admin.post(path, {"amount": "19.90", "reference": "Line 4"}, follow=True)
    assert f"Order {order.number} is paid." in words(answer)
    assert Payment.objects.get().note == "Line 4"
    assert log(order) == [("stella", "Marked as paid: 19.90 EUR.")]
    for again in (admin.post(path, {"amount": "19.90"}, follow=True), admin.get(path, follow=True)):
        assert "it does not wait for money" in words(again)
    assert MoneyMovement.objects.count() == 1


def transferred() -> Order:
    order = pending_order()
    return mark_paid(order_id=order.pk, amount=order.total, reference="", user=factories.account("stella"))


def test_a_refund_by_bank_transfer_waits_until_it_is_sent(books: Books, admin: Client) -> None:
    order = transferred()
    refund = refunds.create_automatic(payment=Payment.objects.get(), amount=TOTAL, cause="cancelled:1")
    assert refund is not None
    page = words(admin.get(WAITING))
    assert "To send by bank transfer (1)" in page
    assert f"{order.number} 19.90 EUR by transfer; the order was cancelled" in page
    path = url("payments.payment", "step", refund.pk, "sent")
    assert admin.get(path).status_code == 405
    assert "The refund of 19.90 EUR is marked as sent." in words(admin.post(path, follow=True))
    refund.refresh_from_db()
    assert refund.status == "done"
    assert log(order) == [("stella", "The refund of 19.90 EUR is marked as sent.")]
    assert "does not wait" in words(admin.post(path, follow=True))
    assert "To send by bank transfer (0)" in words(admin.get(WAITING))


def failed_refund(books: Books) -> Refund:
    order, _ = paid_order(books)
    refund, _ = refunds.create(RefundRequest(order.pk, factories.account("stella"), amount=Decimal(5)))
    books.faults["refund"] = ["refused"]
    sending.send(refund.pk)
    return refund


@pytest.mark.parametrize(("step", "outcome", "rows"), [("again", "is sent again", 2), ("aside", "is put aside", 1)])
def test_a_failed_refund_is_sent_again_or_put_aside(
    books: Books, admin: Client, step: str, outcome: str, rows: int
) -> None:
    refund = failed_refund(books)
    page = words(admin.get(WAITING))
    assert "Refunds that failed (1)" in page
    assert "5.00 EUR by books; The books refuse that; since" in page
    path = url("payments.payment", "step", refund.pk, step)
    for _ in range(2):
        answer = words(admin.post(path, follow=True))
    assert "sent again already, or put aside" in answer
    assert Refund.objects.count() == rows
    assert "Refunds that failed (0)" in words(admin.get(WAITING))
    assert [entry for _, entry in log(refund.order)] == [f"The refund of 5.00 EUR {outcome}."]


def test_pieces_that_are_not_left_are_named(books: Books, admin: Client) -> None:
    """As a failed refund is sent again, and its pieces were refunded by others meanwhile."""
    factories.user("carla")
    two = [(factories.product(name, sku=name, price=Decimal(10)), 1) for name in ("BOOT", "SHOE")]
    order = Order.objects.get(number=place("carla", *two))
    payment = started(books, order)
    books.pay(payment.reference or "")
    settle_by(books, payment)
    user = factories.account("stella")
    items = [RefundItem("BOOT", 1), RefundItem("SHOE", 1)]
    failed, _ = refunds.create(RefundRequest(order.pk, user, items=items))
    Refund.objects.update(status="failed")
    for item in items:
        refunds.create(RefundRequest(order.pk, user, items=[item]))
    answer = words(admin.post(url("payments.payment", "step", failed.pk, "again"), follow=True))
    for sku in ("BOOT", "SHOE"):
        assert f"Of '{sku}', 0 of 1 are left to refund." in answer


def test_a_refund_from_outside_that_takes_long_is_shown(books: Books, admin: Client) -> None:
    _, payment = paid_order(books)
    books.refund_state = RefundState.PENDING
    books.refund(payment.reference or "", amount=Decimal(5), key="")
    settle_by(books, payment)
    assert "Refunds that take long (0)" in words(admin.get(WAITING))
    Refund.objects.update(created_at=timezone.now() - timedelta(hours=2))
    page = words(admin.get(WAITING))
    assert "Refunds that take long (1)" in page
    assert "To send by bank transfer (0)" in page


def test_of_many_rows_the_first_are_shown(books: Books, admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "ROWS_MAX", 3)
    order, payment = paid_order(books)
    for number in range(4):
        differences.store(f"order:{number}", Difference.Kind.ORDER, f"Difference {number}", order=order)
        Refund.objects.create(order=order, payment=payment, amount=1 + number, status="failed")
    page = words(admin.get(WAITING))
    for part in ("Differences (the first 3)", "Difference 2", "Refunds that failed (the first 3)", "3.00 EUR by books"):
        assert part in page
    for part in ("Difference 3", "4.00 EUR by books"):
        assert part not in page


def test_other_apps_add_sections(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    order = Order.objects.create(number="N-1", cart_id=1, total=1, currency="EUR")
    section = waiting.Section("Differences", "Compare them.", [waiting.Row(order, "1.00 EUR is missing.")])
    monkeypatch.setattr(waiting, "SECTIONS", [lambda: section])
    assert "Differences (1) Compare them. N-1 1.00 EUR is missing." in words(admin.get(WAITING))


def test_only_those_with_the_permission(books: Books, admin: Client) -> None:
    refund = failed_refund(books)
    order = refund.order
    pages = {
        refund_path(order): "add_refund",
        url("payments.payment", "mark_paid", pending_order().pk): "add_moneymovement",
        WAITING: "view_refund",
    }
    viewer = signed_in("view_order", "view_payment")
    for path, permission in pages.items():
        assert Client().get(path).status_code == 302
        assert viewer.get(path).status_code == viewer.post(path).status_code == 403, path
        assert signed_in(permission, "view_order").get(path).status_code == 200, path
        if path != WAITING:  # an order is for those who may see orders
            alone = signed_in(permission)
            assert alone.get(path).status_code == alone.post(path).status_code == 403, path
    payments = url("payments.payment", "changelist")
    for permissions, links in ((["view_payment"], 0), (["view_payment", "view_refund"], 1)):
        assert signed_in(*permissions).get(payments).content.decode().count(f'href="{WAITING}"') == links
    link = f'href="{url("orders.order", "change", order.pk)}"'
    assert link in signed_in("view_refund", "view_order").get(WAITING).content.decode()
    unlinked = signed_in("view_refund").get(WAITING)
    assert order.number in words(unlinked)
    assert link not in unlinked.content.decode()
    step = url("payments.payment", "step", refund.pk, "again")
    assert signed_in("view_refund").post(step).status_code == 403
    assert Refund.objects.count() == 1
    page = order_page(viewer, order)
    for part in ("Refund order", "Mark as paid", "Movements of money", "REFUNDS"):
        assert part.lower() not in page.lower()
    assert "Send again" not in words(signed_in("view_refund", "view_payment").get(WAITING))


@pytest.mark.parametrize("model", ["payment", "moneymovement", "providerevent"])
def test_rows_are_read_only(books: Books, admin: Client, model: str) -> None:
    _, payment = paid_order(books)
    event = ProviderEvent.objects.create(provider="books", event_id="evt_1", reference=payment.reference or "")
    pk = {"payment": payment.pk, "moneymovement": MoneyMovement.objects.get().pk, "providerevent": event.pk}[model]
    assert str(payment.reference if model == "payment" else "books") in words(
        admin.get(url(f"payments.{model}", "change", pk))
    )
    assert admin.get(url(f"payments.{model}", "changelist"), {"q": payment.reference or ""}).status_code == 200
    assert admin.get(url(f"payments.{model}", "add")).status_code == 403
    assert admin.post(url(f"payments.{model}", "change", pk), {}).status_code == 403
    assert admin.post(url(f"payments.{model}", "delete", pk), {"post": "yes"}).status_code == 403


def test_no_secret_is_shown(books: Books, admin: Client) -> None:
    order, payment = paid_order(books)
    Payment.objects.update(client_secret="pi_secret_1", key="k" * 32)
    for path in (url("orders.order", "change", order.pk), url("payments.payment", "change", payment.pk)):
        page = admin.get(path).content.decode()
        assert "pi_secret_1" not in page
        assert "k" * 32 not in page


def test_the_page_of_a_cancellation_says_what_goes_back(books: Books, admin: Client) -> None:
    order, _ = paid_order(books)
    path = url("orders.order", "cancel", order.pk)
    assert "19.90 EUR will be refunded to the customer by books." in words(admin.get(path))
    other = transferred()
    text = words(admin.get(url("orders.order", "cancel", other.pk)))
    assert "With this you state that you send 19.90 EUR back to the customer by bank transfer." in text


def test_staff_who_cancel_their_own_order_read_that_its_money_waits(books: Books, admin: Client) -> None:
    order = transferred()
    Order.objects.update(user=factories.account("stella"))
    path = url("orders.order", "cancel", order.pk)
    page = words(admin.get(path))
    assert "you state" not in page
    assert "19.90 EUR are to be sent back to you by bank transfer: the refund waits for staff" in page
    admin.post(path)
    assert "To send by bank transfer (1)" in words(admin.get(WAITING))


def test_the_page_of_many_cancellations_says_what_staff_state(books: Books, admin: Client) -> None:
    stated = "With this you state that you send back to the customers what came by bank transfer"
    order, _ = paid_order(books)
    assert stated not in run_action(admin, "orders.order", "cancel", order.pk)
    other = transferred()
    page = run_action(admin, "orders.order", "cancel", other.pk)
    assert stated in page
    confirm(admin, "orders.order", page)
    assert Refund.objects.get(order=other).due_at is not None

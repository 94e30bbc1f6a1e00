"""Refunds and marks over HTTP."""

from decimal import Decimal
from typing import Any

import pytest
from rest_framework.test import APIClient

from orders.models import Order
from outbox.models import Mail
from payments import sending
from payments.models import MoneyMovement, Payment, Refund
from tests import factories
from tests.guests import GuestClient
from tests.payments.books import Books
from tests.payments.paying import TOTAL, paid_order, pending_order
from tests.queries import queries

pytestmark = pytest.mark.django_db


def path(order: Order, what: str = "refunds") -> str:
    return f"/orders/{order.number}/{what}/"


def test_a_refund_is_made_and_read(books: Books, staff: APIClient, customer: APIClient) -> None:
    order, _ = paid_order(books)
    body = {"items": [{"sku": order.items[0].sku, "quantity": 1, "restock": True}], "reason": "Too small."}
    answer = staff.post(path(order), body)
    assert answer.status_code == 201, answer.content
    refund = Refund.objects.get()
    expected = {"id": refund.pk, "amount": "19.90", "status": "pending", "reason": "Too small.", "error": None}
    assert {name: answer.json()[name] for name in expected} == expected
    assert set(answer.json()) == {*expected, "created_at"}
    assert answer["Location"] == f"http://testserver{path(order)}"
    sending.send(refund.pk)
    listed = customer.get(path(order))
    assert (listed.json()["count"], listed.json()["results"][0]["status"]) == (1, "done")
    assert customer.get(path(order), headers={"If-None-Match": listed["ETag"]}).status_code == 304
    assert customer.get(f"/orders/{order.number}/").json()["refunded"] == "19.90"


def test_a_failed_refund_says_why(books: Books, staff: APIClient) -> None:
    order, _ = paid_order(books)
    staff.post(path(order), {"amount": "5.00"})
    books.faults["refund"] = ["refused"]
    sending.send(Refund.objects.get().pk)
    [row] = staff.get(path(order)).json()["results"]
    assert (row["status"], row["error"]) == ("failed", "The books refuse that.")
    again = staff.post(path(order), {"amount": "5.00"}, headers={"Idempotency-Key": "again"})
    assert again.status_code == 201


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, [None]),
        ({"reason": "x"}, [None]),
        ({"items": []}, [None]),
        ({"amount": "5.00", "items": [{"sku": "X", "quantity": 1}]}, [None]),
        ({"amount": "5.00", "delivery": True}, [None]),
        ({"amount": "0.00"}, ["amount"]),
        ({"amount": "-1.00"}, ["amount"]),
        ({"amount": "1.001"}, ["amount"]),
        ({"amount": None}, ["amount"]),
        ({"items": [{"sku": "UNKNOWN", "quantity": 1}]}, ["items.0.sku"]),
        ({"items": [{"sku": "red-shoe", "quantity": 0}]}, ["items.0.quantity"]),
        ({"items": [{"sku": "red-shoe", "quantity": True}]}, ["items.0.quantity"]),
        ({"items": [{"sku": "red-shoe"}]}, ["items.0.quantity"]),
        ({"items": {}}, ["items"]),
        ({"delivery": True}, ["delivery"]),
        ({"amount": "1.00", "reason": "x" * 501}, ["reason"]),
        ([], [None]),
        (None, [None]),
    ],
)
def test_bodies_that_are_refused(books: Books, staff: APIClient, body: Any, fields: list[str | None]) -> None:
    order, _ = paid_order(books)
    answer = staff.post(path(order), body)
    assert answer.status_code == 400, answer.content
    assert [error["field"] for error in answer.json()["errors"]] == fields
    assert not Refund.objects.exists()


def test_too_large_a_refund_says_what_is_left(books: Books, staff: APIClient) -> None:
    order, _ = paid_order(books)
    staff.post(path(order), {"amount": "15.00"})
    answer = staff.post(path(order), {"amount": "5.00"})
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/refund-too-large")
    assert answer.json()["refundable"] == "4.90"
    assert staff.get("/problems/refund-too-large/").status_code == 200


def test_unpaid_is_a_conflict(books: Books, staff: APIClient) -> None:
    answer = staff.post(path(pending_order()), {"amount": "5.00"})
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/order-state")


def test_a_key_is_one_request(books: Books, staff: APIClient) -> None:
    order, _ = paid_order(books)
    headers = {"Idempotency-Key": "one"}
    first = staff.post(path(order), {"amount": "5.00"}, headers=headers)
    again = staff.post(path(order), {"amount": "5.00"}, headers=headers)
    assert (again.status_code, again.json(), again["Idempotent-Replayed"]) == (201, first.json(), "true")
    assert "Idempotent-Replayed" not in first
    other = staff.post(path(order), {"amount": "6.00"}, headers=headers)
    assert (other.status_code, other.json()["type"]) == (422, "/problems/idempotency-key-reused")
    assert Refund.objects.count() == 1


def test_a_customer_reads_and_does_not_refund(
    books: Books, customer: APIClient, other_customer: APIClient, guest: GuestClient
) -> None:
    order, _ = paid_order(books)
    assert customer.get(path(order)).status_code == 200
    for client in (customer, other_customer, guest):
        for what, body in (("refunds", {"amount": "1.00"}), ("mark-paid", {"amount": "19.90"})):
            assert client.post(path(order, what), body).status_code == 403
    assert other_customer.get(path(order)).status_code == 404
    assert guest.get(path(order)).status_code == 404
    assert not Refund.objects.exists()


def test_the_sql_of_the_list_does_not_grow(books: Books, staff: APIClient) -> None:
    order, _ = paid_order(books)
    counts = []
    for pieces in (2, 10):
        while Refund.objects.count() < pieces:
            staff.post(path(order), {"amount": "1.00"})
        counts.append(queries(staff, path(order)))
    assert counts[0] == counts[1]


def test_an_order_is_marked_as_paid(books: Books, staff: APIClient) -> None:
    order = pending_order()
    for amount in ("19.80", "20.00", "0.00"):
        answer = staff.post(path(order, "mark-paid"), {"amount": amount, "reference": "Line 4"})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "amount")
    paid = staff.post(path(order, "mark-paid"), {"amount": "19.90", "reference": "Line 4"})
    assert (paid.status_code, paid.json()["status"], paid.json()["expires_at"]) == (200, "paid", None)
    again = staff.post(path(order, "mark-paid"), {"amount": "19.90", "reference": "Line 4"})
    assert (again.status_code, again.json()["type"]) == (409, "/problems/order-state")
    assert Payment.objects.get().note == "Line 4"
    assert MoneyMovement.objects.get().amount == TOTAL
    refund = staff.post(path(order), {"amount": "19.90"})
    assert (refund.status_code, refund.json()["status"]) == (201, "done")  # their request states that they send it
    assert Mail.objects.filter(kind="order-refunded").count() == 1


@pytest.mark.parametrize("body", [{}, {"reference": "x"}, {"amount": "19.90", "reference": "x" * 201}, [], None])
def test_marks_that_are_refused(books: Books, staff: APIClient, body: Any) -> None:
    assert staff.post(path(pending_order(), "mark-paid"), body).status_code == 400
    assert not MoneyMovement.objects.exists()


def test_orders_without_payments_are_as_before(staff: APIClient, customer: APIClient, settings: Any) -> None:
    """PAYMENT_METHODS is unset: an order is paid without a payment."""
    order = Order.objects.create(
        number="N-1", cart_id=1, total=Decimal(1), currency="EUR", user=factories.account("carla")
    )
    assert customer.get(path(order)).json()["results"] == []
    assert staff.post(path(order), {"amount": "1.00"}).status_code == 409
    assert staff.post(path(order, "mark-paid"), {"amount": "1.00"}).status_code == 409
    assert staff.post(f"/orders/{order.number}/cancel/").json()["status"] == "cancelled"

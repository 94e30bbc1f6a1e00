"""Payments over HTTP: the contract of API.md."""

from dataclasses import replace
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from orders import lifecycle
from orders.models import Order
from payments.models import Payment, ProviderEvent
from payments.tasks import process_event
from tests import guests
from tests.buying import fill_cart
from tests.guests import GuestClient
from tests.payments.books import SECRET, Books
from tests.queries import queries

pytestmark = pytest.mark.django_db

FIELDS = {
    "id", "method", "status", "amount", "currency", "client_secret", "redirect_url", "instructions", "created_at",
    "expires_at",
}  # fmt: skip
METHOD = {"method": "books"}


def ordered(client: APIClient) -> str:
    response = client.post(f"/carts/{fill_cart(client)}/checkout/")
    assert response.status_code == 201, response.content
    number: str = response.json()["number"]
    return number


def test_the_methods_are_those_that_are_offered(api: APIClient, books: Books) -> None:
    [method] = api.get("/payment-methods/").json()["results"]
    assert method == {
        "code": "books",
        "name": "Books in memory",
        "instructions": "Pay as you like.",
        "publishable_key": "pk_books",
    }


def test_without_methods_an_order_is_paid(customer: APIClient, settings: Any) -> None:
    settings.PAYMENT_METHODS = []
    assert customer.get("/payment-methods/").json() == {"results": []}
    number = ordered(customer)
    assert customer.get(f"/orders/{number}/").json()["status"] == "paid"
    refused = customer.post(f"/orders/{number}/payments/", METHOD)
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/order-state")
    assert customer.get(f"/orders/{number}/payments/").json()["results"] == []


def test_an_order_is_paid(customer: APIClient, books: Books) -> None:
    number = ordered(customer)
    order = customer.get(f"/orders/{number}/").json()
    assert order["status"] == "pending"
    created = customer.post(f"/orders/{number}/payments/", {**METHOD, "return_url": "https://shop.example.com/"})
    payment = created.json()
    assert (created.status_code, set(payment)) == (201, FIELDS)
    assert payment["expires_at"] == order["expires_at"]
    assert (payment["status"], payment["amount"], payment["instructions"]) == ("pending", "19.90", "Pay as you like.")
    assert payment["redirect_url"].startswith("https://books.example.com/")
    assert created["Location"].endswith(f"/orders/{number}/payments/{payment['id']}/")
    again = customer.post(f"/orders/{number}/payments/", METHOD)
    assert (again.status_code, again.json()) == (200, payment)
    books.pay("pay_1")
    read = customer.get(created["Location"]).json()
    assert (read["status"], read["expires_at"], read["client_secret"]) == ("succeeded", None, None)
    assert customer.get(f"/orders/{number}/").json()["status"] == "paid"
    listed = customer.get(f"/orders/{number}/payments/").json()
    assert (listed["count"], listed["results"]) == (1, [read])
    refused = customer.post(f"/orders/{number}/payments/", METHOD)
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/order-state")


def test_a_customer_asks_every_2_seconds_at_most(customer: APIClient, books: Books, time_machine: Any) -> None:
    time_machine.move_to(timezone.now(), tick=False)
    path = customer.post(f"/orders/{ordered(customer)}/payments/", METHOD)["Location"]
    for _ in range(5):
        assert customer.get(path).json()["status"] == "pending"
    assert books.calls.count("fetch") == 1
    time_machine.shift(2)
    customer.get(path)
    assert books.calls.count("fetch") == 2


def test_an_unreachable_provider_is_a_503_at_the_start_alone(customer: APIClient, books: Books) -> None:
    number, key = ordered(customer), {"Idempotency-Key": "a-key"}
    for fault in ("before", "after"):
        books.faults["start"] = [fault]
        refused = customer.post(f"/orders/{number}/payments/", METHOD, headers=key)
        assert (refused.status_code, refused.json()["type"]) == (503, "/problems/unavailable")
        assert int(refused["Retry-After"])
    created = customer.post(f"/orders/{number}/payments/", METHOD, headers=key)
    assert created.status_code == 201
    assert len(books.rows) == Payment.objects.count() == 1
    books.faults["fetch"] = ["before"]
    read = customer.get(created["Location"])
    assert (read.status_code, read.json()) == (200, created.json())


def test_nobody_waits_for_a_provider_that_is_away(customer: APIClient, books: Books, time_machine: Any) -> None:
    time_machine.move_to(timezone.now(), tick=False)
    path = customer.post(f"/orders/{ordered(customer)}/payments/", METHOD)["Location"]
    books.faults["fetch"] = ["before"] * 99
    for _ in range(20):
        assert customer.get(path).json()["status"] == "pending"
        time_machine.shift(3)
    assert books.calls.count("fetch") < 12
    number = ordered(customer)
    assert customer.post(f"/orders/{number}/payments/", METHOD).status_code == 503
    assert books.calls.count("start") == 1


def test_a_refused_start_is_a_409(customer: APIClient, books: Books) -> None:
    number, key = ordered(customer), {"Idempotency-Key": "a-key"}
    books.faults["start"] = ["refused"]
    for _ in range(2):
        refused = customer.post(f"/orders/{number}/payments/", METHOD, headers=key)
        assert (refused.status_code, refused.json()["type"]) == (409, "/problems/payment-refused")
    assert Payment.objects.get().status == "failed"
    assert customer.post(f"/orders/{number}/payments/", METHOD).status_code == 201


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"method": "cash"}, "method"),
        ({"method": "stripe"}, "method"),  # known, and not offered
        ({}, "method"),
        ({**METHOD, "return_url": "javascript:alert(1)"}, "return_url"),
        ({**METHOD, "return_url": "https://shop.example.com/" + "x" * 2_000}, "return_url"),
    ],
)
def test_a_wrong_body_is_a_400(customer: APIClient, books: Books, body: Any, field: str) -> None:
    refused = customer.post(f"/orders/{ordered(customer)}/payments/", body)
    assert refused.status_code == 400
    assert [error["field"] for error in refused.json()["errors"]] == [field]
    assert not Payment.objects.exists()


def test_a_key_replays_its_request_alone(customer: APIClient, books: Books) -> None:
    number, key = ordered(customer), {"Idempotency-Key": "a-key"}
    first = customer.post(f"/orders/{number}/payments/", METHOD, headers=key)
    assert "Idempotent-Replayed" not in first
    books.pay("pay_1")
    customer.get(first["Location"])
    again = customer.post(f"/orders/{number}/payments/", METHOD, headers=key)
    assert (again.status_code, again.json()["id"], again["Idempotent-Replayed"]) == (201, first.json()["id"], "true")
    assert again.json()["status"] == "succeeded"
    other = customer.post(f"/orders/{number}/payments/", {**METHOD, "return_url": "https://x/"}, headers=key)
    assert (other.status_code, other.json()["type"]) == (422, "/problems/idempotency-key-reused")


def test_an_order_whose_time_is_over_is_not_paid(customer: APIClient, books: Books) -> None:
    number = ordered(customer)
    Order.objects.update(expires_at=timezone.now())
    refused = customer.post(f"/orders/{number}/payments/", METHOD)
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/order-state")


def test_anothers_payments_are_not_found(
    customer: APIClient, other_customer: APIClient, staff: APIClient, books: Books
) -> None:
    number = ordered(customer)
    path = customer.post(f"/orders/{number}/payments/", METHOD)["Location"]
    for answer in (
        other_customer.get(path),
        other_customer.get(f"/orders/{number}/payments/"),
        other_customer.post(f"/orders/{number}/payments/", METHOD),
        customer.get(f"/orders/{ordered(customer)}/payments/{Payment.objects.get().pk}/"),
    ):
        assert answer.status_code == 404
    assert staff.get(path).status_code == 200
    assert staff.post(f"/orders/{number}/payments/", METHOD).status_code == 200


def test_the_queries_of_a_list_do_not_grow_with_it(customer: APIClient, books: Books) -> None:
    number = ordered(customer)
    counts = []
    for rows in (2, 8):
        order = Order.objects.get(number=number)
        for _ in range(rows):
            Payment.objects.create(order=order, method="books", status="failed", amount=order.total, currency="EUR")
        counts.append(queries(customer, f"/orders/{number}/payments/"))
    assert counts == [3, 3]  # the user, the order, the page with its count


def test_a_browser_gets_pages(staff: APIClient, books: Books) -> None:
    number = ordered(staff)
    path = staff.post(f"/orders/{number}/payments/", METHOD)["Location"]
    for page in (path, f"/orders/{number}/payments/", "/payment-methods/"):
        answer = staff.get(page, headers={"Accept": "text/html"})
        assert (answer.status_code, answer["Content-Type"]) == (200, "text/html; charset=utf-8")


def test_reads_carry_an_etag(customer: APIClient, books: Books) -> None:
    number = ordered(customer)
    path = customer.post(f"/orders/{number}/payments/", METHOD)["Location"]
    for page in (path, f"/orders/{number}/payments/", "/payment-methods/"):
        tag = customer.get(page)["ETag"]
        assert customer.get(page, headers={"If-None-Match": tag}).status_code == 304
    books.pay("pay_1")
    Payment.objects.update(checked_at=None)
    tag = customer.get(f"/orders/{number}/payments/")["ETag"]
    assert customer.get(path).json()["status"] == "succeeded"
    assert customer.get(f"/orders/{number}/payments/", headers={"If-None-Match": tag}).status_code == 200


def test_a_guest_pays(guest: GuestClient, api: APIClient, books: Books) -> None:
    number = guests.order(guest)
    created = guest.post(f"/orders/{number}/payments/", METHOD)
    assert created.status_code == 201
    books.pay("pay_1")
    assert guest.get(created["Location"]).json()["status"] == "succeeded"
    assert api.get(created["Location"]).status_code == 401


def test_starts_are_throttled(customer: APIClient, books: Books, rate: Any) -> None:
    number = ordered(customer)
    rate("checkout", "2/hour")
    codes = [customer.post(f"/orders/{number}/payments/", METHOD).status_code for _ in range(3)]
    assert codes[-1] == 429
    assert customer.get(f"/orders/{number}/payments/").status_code == 200


# --- Events ---


def post_event(api: APIClient, body: bytes, headers: dict[str, str], provider: str = "books") -> Any:
    return api.generic("POST", f"/payment-events/{provider}/", body.decode(), "application/json", headers=headers)


def test_an_event_pays_the_order_however_often_it_comes(customer: APIClient, api: APIClient, books: Books) -> None:
    number = ordered(customer)
    customer.post(f"/orders/{number}/payments/", METHOD)
    books.pay("pay_1")
    event = books.event("pay_1")
    for _ in range(100):
        assert post_event(api, *event).status_code == 200
    stored = ProviderEvent.objects.get()
    for _ in range(3):
        process_event(stored.pk)
    assert customer.get(f"/orders/{number}/").json()["status"] == "paid"
    assert books.calls.count("fetch") == 1


def test_an_unsigned_event_is_a_400_and_not_kept(api: APIClient, books: Books) -> None:
    body, _ = books.event("pay_1")
    refused = post_event(api, body, {"Books-Signature": "forged"})
    assert (refused.status_code, refused.json()["type"]) == (400, "/problems/invalid-signature")
    assert not ProviderEvent.objects.exists()


def test_events_of_unknown_providers_are_not_found(api: APIClient, books: Books) -> None:
    for provider in ("nobody", "stripe", "providers"):
        assert post_event(api, *books.event("pay_1"), provider=provider).status_code == 404


def test_a_large_event_is_a_413(api: APIClient, books: Books) -> None:
    _, headers = books.event("pay_1")
    assert post_event(api, b"x" * 65_537, headers).status_code == 413
    assert not ProviderEvent.objects.exists()


def test_an_event_about_nothing_of_ours_is_kept(api: APIClient, books: Books) -> None:
    assert post_event(api, *books.event("")).status_code == 200
    stored = ProviderEvent.objects.get()
    assert (stored.processed_at is None, stored.due_at) == (False, None)


@pytest.mark.parametrize("reference", ["", "x" * 256])
def test_an_event_that_does_not_fit_is_a_400(api: APIClient, books: Books, reference: str) -> None:
    event = books.event(reference, event_id="evt" if reference else "x" * 256)
    assert post_event(api, *event).status_code == 400
    assert not ProviderEvent.objects.exists()


def test_a_cancelled_order_is_not_paid(customer: APIClient, books: Books) -> None:
    number = ordered(customer)
    lifecycle.cancel(order_id=Order.objects.get(number=number).pk, user=None)
    assert customer.post(f"/orders/{number}/payments/", METHOD).status_code == 409


def test_a_provider_whose_code_fails_is_no_500(customer: APIClient, api: APIClient, books: Books) -> None:
    """To start is a 503 whose key is not used up; a GET answers what is known, and everything else goes on."""
    number, key = ordered(customer), {"Idempotency-Key": "a-key"}
    books.faults = {"start": ["broken"], "fetch": ["broken"], "cancel": ["broken"]}
    refused = customer.post(f"/orders/{number}/payments/", METHOD, headers=key)
    assert (refused.status_code, refused.json()["type"]) == (503, "/problems/unavailable")
    created = customer.post(f"/orders/{number}/payments/", METHOD, headers=key)
    assert created.status_code == 201
    read = customer.get(created["Location"])
    assert (read.status_code, read.json()) == (200, created.json())
    assert customer.post(f"/orders/{number}/cancel/").json()["status"] == "cancelled"
    read = customer.get(created["Location"])  # which cancels the payment at its provider first
    assert (read.status_code, read.json()["status"]) == (200, "pending")
    assert post_event(api, *books.event("pay_1")).status_code == 200


@pytest.mark.parametrize(
    ("change", "code"), [({"reference": "x" * 256}, 503), ({"client_secret": "x" * 256}, 503), ({}, 201)]
)
def test_what_no_column_holds_is_a_503(
    customer: APIClient, books: Books, monkeypatch: pytest.MonkeyPatch, change: Any, code: int
) -> None:
    begin = books.start
    monkeypatch.setattr(books, "start", lambda attempt: replace(begin(attempt), **change))
    assert customer.post(f"/orders/{ordered(customer)}/payments/", METHOD).status_code == code


def test_an_event_that_the_code_cannot_read_is_sent_again(api: APIClient, books: Books, monkeypatch: Any) -> None:
    def broken(body: bytes, headers: Any) -> Any:
        raise KeyError(SECRET)

    monkeypatch.setattr(books, "parse_event", broken)
    refused = post_event(api, *books.event("pay_1"))
    assert (refused.status_code, refused.json()["type"]) == (503, "/problems/unavailable")
    assert SECRET not in refused.content.decode()
    assert not ProviderEvent.objects.exists()


def test_a_payment_that_is_no_more_pending_shows_no_secret(customer: APIClient, books: Books) -> None:
    created = customer.post(f"/orders/{ordered(customer)}/payments/", METHOD)
    assert created.json()["client_secret"]
    Payment.objects.update(status="cancelled")
    assert customer.get(created["Location"]).json()["client_secret"] is None

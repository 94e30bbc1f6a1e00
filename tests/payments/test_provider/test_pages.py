"""The page on which a customer pays, without a browser; tests/browser/test_payment_pages.py opens it."""

from decimal import Decimal

import pytest
import requests

from payments.test_provider.courses import AFTERWARDS, COURSES, Course
from tests.payments.test_provider.running import Running

pytestmark = pytest.mark.embedded


def get(provider: Running, path: str) -> requests.Response:
    return requests.get(f"{provider.url}{path}", timeout=10)


def test_the_page_shows_the_order_the_amount_and_every_course(provider: Running) -> None:
    page = get(provider, f"/pay/{provider.new(order_number='<b>A-1</b>')}")
    assert page.status_code == 200
    assert "&lt;b&gt;A-1&lt;/b&gt;" in page.text
    assert "19.90 EUR" in page.text
    for course in COURSES:
        assert f'value="{course.code}"' in page.text
        assert course.card in page.text
    assert "<script" not in page.text
    assert "style=" not in page.text


def test_a_paid_page_shows_what_can_happen_afterwards(provider: Running) -> None:
    reference = provider.paid()

    def offered() -> set[str]:
        return {code for code in AFTERWARDS if f'value="{code}"' in get(provider, f"/pay/{reference}").text}

    page = get(provider, f"/pay/{reference}")
    assert 'value="pays"' not in page.text
    assert "http://127.0.0.1:5173/done?order=A-1" in page.text
    assert offered() == {"refund_outside", "chargeback"}
    provider.server.books.do_afterwards(reference, "chargeback", cents=500)
    assert offered() == set(AFTERWARDS)
    assert "14.90 EUR" in get(provider, f"/pay/{reference}").text  # left
    provider.server.books.do_afterwards(reference, "chargeback")
    assert offered() == {"chargeback_reversal"}
    assert "<input" not in get(provider, f"/pay/{reference}").text
    provider.server.books.do_afterwards(reference, "chargeback_reversal")
    provider.server.books.do_afterwards(reference, "refund_outside")
    assert offered() == set()


def test_a_refund_that_is_not_done_is_no_money_that_moved(provider: Running) -> None:
    reference = provider.paid()
    provider.server.books.refund(reference, cents=500, key="refund", course="pending")
    assert "Refund (pending)" in get(provider, f"/pay/{reference}").text


@pytest.mark.parametrize("course", COURSES, ids=lambda course: course.code)
def test_a_card_number_chooses_the_course_and_the_customer_returns(provider: Running, course: Course) -> None:
    by_card, by_code = provider.new("card"), provider.new("code")
    answer = provider.pay(by_card, card=course.card)
    assert (answer.status_code, answer.headers["Location"]) == (303, "http://127.0.0.1:5173/done?order=A-1")
    provider.pay(by_code, course=course.code)
    books = provider.server.books
    assert books.payment(by_card)["state"] == books.payment(by_code)["state"]


@pytest.mark.parametrize(("amount", "state"), [("10.01", "failed"), ("10.00", "succeeded"), ("10.90", "succeeded")])
def test_without_a_choice_the_amount_chooses(provider: Running, amount: str, state: str) -> None:
    reference = provider.new(amount=Decimal(amount))
    assert provider.pay(reference).status_code == 303
    assert provider.client.fetch(reference).state == state


def test_paying_twice_pays_once_and_returns_twice(provider: Running) -> None:
    reference = provider.paid()
    assert provider.pay(reference, course="pays").status_code == 303
    assert provider.pay(reference, course="fails").status_code == 303
    assert len(provider.client.fetch(reference).captures) == 1


def test_without_a_return_url_the_page_shows_the_outcome(provider: Running) -> None:
    reference = provider.new(return_url="")
    assert provider.pay(reference, course="pays").headers["Location"] == f"/pay/{reference}"
    assert "Return to the shop" not in get(provider, f"/pay/{reference}").text


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"card": "4242 4242 4242 4242"}, "not in the table"),
        ({"card": "x" * 999}, "not in the table"),
        ({"course": "explodes"}, "There is no course explodes"),
        ({"course": "pays", "seconds": "-1"}, "seconds takes a number"),
        ({"course": "pays", "seconds": "3601"}, "seconds takes a number"),
        ({"course": "pays", "seconds": "nan"}, "seconds takes a number"),
    ],
)
def test_a_wrong_choice_is_explained_and_changes_nothing(provider: Running, fields: dict[str, str], text: str) -> None:
    reference = provider.new()
    answer = provider.pay(reference, **fields)
    assert answer.status_code == 400
    assert text in answer.text
    assert provider.client.fetch(reference).state == "open"


def test_a_cancelled_payment_cannot_be_paid(provider: Running) -> None:
    reference = provider.new()
    provider.client.cancel(reference)
    answer = provider.pay(reference, course="pays")
    assert answer.status_code == 409
    assert "This payment was cancelled" in answer.text
    assert "Return to the shop" in answer.text


def test_more_than_is_left_is_not_refunded(provider: Running) -> None:
    reference = provider.paid()
    for amount, status in (("19.91", 409), ("0.00", 400), ("1,00", 400), ("1.00", 303)):
        assert provider.pay(reference, course="refund_outside", amount=amount).status_code == status
    [refund] = provider.client.fetch(reference).refunds
    assert str(refund.amount) == "1.00"


def test_late_money_is_on_its_way(provider: Running) -> None:
    reference = provider.paid("pays_late")
    assert "on its way" in get(provider, f"/pay/{reference}").text
    assert provider.pay(reference, course="fails").status_code == 303
    assert provider.client.fetch(reference).state == "open"


@pytest.mark.parametrize(
    ("return_url", "origin"),
    [
        ("http://127.0.0.1:5173/done", " http://127.0.0.1:5173"),
        ("https://shop.example/x", " https://shop.example"),
        ("http://shop.example;script-src/x", ""),
        ("http://user:word@shop.example/x", ""),
    ],
)
def test_the_policy_lets_the_form_return_to_the_shop_and_nothing_else(
    provider: Running, return_url: str, origin: str
) -> None:
    policy = get(provider, f"/pay/{provider.new(return_url=return_url)}").headers["Content-Security-Policy"]
    assert f"form-action 'self'{origin};" in policy
    assert "default-src 'self'" in policy


def test_the_index_lists_payments_and_sets_the_next_fault(provider: Running) -> None:
    reference = provider.new()
    assert f"/pay/{reference}" in get(provider, "/").text
    answer = requests.post(f"{provider.url}/next", data={"next_refund": "refused"}, timeout=10, allow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert provider.server.injector.faults.next_refund == "refused"
    assert '<option value="refused" selected>' in get(provider, "/").text
    wrong = requests.post(f"{provider.url}/next", data={"next_refund": "explodes"}, timeout=10)
    assert wrong.status_code == 400


def test_unknown_pages_and_the_files_of_pages(provider: Running) -> None:
    assert get(provider, f"/pay/tp_{'0' * 32}").status_code == 404
    assert get(provider, "/nothing").status_code == 404
    style = get(provider, "/page.css")
    assert style.headers["Content-Type"].startswith("text/css")
    assert "color-scheme" in style.text
    assert ".courses" in style.text
    assert get(provider, "/favicon.ico").content[:4] == b"\x00\x00\x01\x00"

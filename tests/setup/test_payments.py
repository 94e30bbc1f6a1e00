"""A shop that takes payments by the test provider, as `make run` starts both: from the checkout to the money."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.passwords import PASSWORD
from tests.ports import free_port
from tests.setup.service import Service, prepare, processes
from tests.setup.tour import take_the_tour
from tests.waiting import wait_for

pytestmark = [pytest.mark.xdist_group("payments"), pytest.mark.embedded]

RETURN_URL = "http://localhost:5173/paid"


@dataclass
class Buyer:
    """A customer with an order of 37.00 that waits for money."""

    service: Service
    token: str
    order: str = ""

    def send(self, method: str, path: str, **options: Any) -> Any:
        answer = self.service.request(method, path, token=self.token, **options)
        assert answer.ok, answer.text
        return answer.json()

    def check_out(self, product: int) -> "Buyer":
        item = self.send("POST", "/cart-items/", json={"product": product, "quantity": 2})
        self.order = self.send("POST", f"/carts/{item['cart']}/checkout/")["number"]
        assert self.order_now()["status"] == "pending"
        return self

    def start(self) -> dict[str, Any]:
        body = {"method": "test", "return_url": RETURN_URL}
        started: dict[str, Any] = self.send("POST", f"/orders/{self.order}/payments/", json=body)
        return started

    def pay(self, course: str, **fields: str) -> dict[str, Any]:
        """Start a payment, and choose its course on the provider's page."""
        started = self.start()
        answer = choose(started, course, **fields)
        assert (answer.status_code, answer.headers["Location"]) == (303, RETURN_URL)
        return started

    def payment_now(self, payment: dict[str, Any]) -> Any:
        return self.send("GET", f"/orders/{self.order}/payments/{payment['id']}/")

    def order_now(self) -> Any:
        return self.send("GET", f"/orders/{self.order}/")

    def wait_for_order(self, **members: str) -> None:
        """Wait until the order has these members, without asking for the payment."""
        wait_for(lambda: members.items() <= self.order_now().items(), seconds=60, name=str(members))

    def movements(self) -> list[tuple[str, float]]:
        """The order's rows in the ledger."""
        query = (
            "SELECT kind, amount FROM payments_moneymovement JOIN orders_order ON orders_order.id = order_id "
            "WHERE number = ? ORDER BY payments_moneymovement.id"
        )
        with closing(sqlite3.connect(self.service.data_dir / "db.sqlite3")) as database:
            return database.execute(query, (self.order,)).fetchall()


def choose(payment: dict[str, Any], course: str, **fields: str) -> requests.Response:
    form = {"course": course, **fields}
    return requests.post(payment["redirect_url"], data=form, timeout=20, allow_redirects=False)


@pytest.fixture(scope="module")
def paying(tmp_path_factory: pytest.TempPathFactory, shared: Path) -> Iterator[Service]:
    data_dir = tmp_path_factory.mktemp("payments") / "var"
    prepare(data_dir, shared)
    rates = dict.fromkeys(("THROTTLE_CHECKOUT", "THROTTLE_REGISTER", "THROTTLE_TOKEN"), "100000/min")
    given = {"PAYMENT_METHODS": "test", "TEST_PROVIDER_URL": f"http://127.0.0.1:{free_port()}"}
    service = Service(data_dir, has_demo=False, ACCESS_TOKEN_LIFETIME="60", **given, **rates)
    try:
        yield service.start()
        family = service.family()
        assert service.stop() == 0
        wait_for(lambda: not family & set(processes()), seconds=2)
    finally:
        service.stop()


@pytest.fixture(scope="module")
def product(paying: Service) -> int:
    body = {"name": "Lamp", "price": "18.50", "quantity": 100}
    answer = paying.request("POST", "/products/", token=paying.token(), json=body)
    assert answer.status_code == 201, answer.text
    return int(answer.json()["id"])


@pytest.fixture
def buyer(paying: Service, product: int, request: pytest.FixtureRequest) -> Buyer:
    name = request.node.name.replace("[", "-").rstrip("]")[-40:]
    account = {"username": name, "email": f"{name}@example.com", "password": PASSWORD, "repeat_password": PASSWORD}
    assert paying.request("POST", "/register/", json=account).status_code == 201
    return Buyer(paying, paying.token(name)).check_out(product)


def test_make_run_names_the_provider_and_the_shop_offers_it(paying: Service) -> None:
    url = paying.environment["TEST_PROVIDER_URL"]
    assert f"  The test provider  {url}/\n" in paying.log
    assert paying.pid_of("provider") in processes()
    [method] = paying.request("GET", "/payment-methods/").json()["results"]
    assert (method["code"], method["publishable_key"]) == ("test", None)


@pytest.mark.parametrize("course", ["pays", "doubles_event"])
def test_the_event_alone_makes_the_order_paid_once(buyer: Buyer, course: str) -> None:
    buyer.pay(course)
    buyer.wait_for_order(status="paid")
    assert buyer.movements() == [("capture", 37)]


def test_a_lost_event_is_found_by_the_customers_return(buyer: Buyer) -> None:
    payment = buyer.pay("loses_event")
    wait_for(lambda: buyer.payment_now(payment)["status"] == "succeeded", seconds=20)
    assert buyer.order_now()["status"] == "paid"
    assert buyer.movements() == [("capture", 37)]


def test_a_late_event_is_not_waited_for_and_changes_nothing(buyer: Buyer) -> None:
    payment = buyer.pay("delays_event", seconds="6")
    wait_for(lambda: buyer.payment_now(payment)["status"] == "succeeded", seconds=5)
    provider_events(buyer.service, payment, count=1)
    assert buyer.order_now()["status"] == "paid"
    assert buyer.movements() == [("capture", 37)]


def provider_events(service: Service, payment: dict[str, Any], *, count: int) -> None:
    """Wait until the shop has taken this many events about the payment, and has looked at them."""
    query = "SELECT count(*) FROM payments_providerevent WHERE reference = ? AND processed_at IS NOT NULL"
    reference = payment["redirect_url"].rpartition("/")[2]

    def taken() -> bool:
        with closing(sqlite3.connect(service.data_dir / "db.sqlite3")) as database:
            return bool(database.execute(query, (reference,)).fetchone()[0] == count)

    wait_for(taken, seconds=60)


def test_an_answer_that_times_out_after_the_charge_is_asked_for_again(buyer: Buyer) -> None:
    payment = buyer.pay("times_out")
    assert buyer.payment_now(payment)["status"] in ("pending", "succeeded")  # 200 in any case
    wait_for(lambda: buyer.payment_now(payment)["status"] == "succeeded", seconds=60, every=1)
    assert buyer.order_now()["status"] == "paid"
    assert buyer.movements() == [("capture", 37)]


def test_a_start_that_times_out_after_its_effect_is_repeated(buyer: Buyer) -> None:
    next_fault(buyer.service, next_start="error")
    body = {"method": "test", "return_url": RETURN_URL}
    path = f"/orders/{buyer.order}/payments/"
    headers = {"Idempotency-Key": "the first"}
    answer = buyer.service.request("POST", path, token=buyer.token, json=body, headers=headers)
    assert answer.status_code == 503
    assert answer.json()["type"] == "/problems/unavailable"
    answer = buyer.service.request("POST", path, token=buyer.token, json=body, headers=headers)
    assert answer.status_code in (200, 201), answer.text
    assert choose(answer.json(), "pays").status_code == 303
    buyer.wait_for_order(status="paid")
    assert buyer.movements() == [("capture", 37)]


def test_after_a_failure_the_second_attempt_pays(buyer: Buyer) -> None:
    first = buyer.pay("fails")
    wait_for(lambda: buyer.payment_now(first)["status"] == "failed", seconds=60)
    assert buyer.order_now()["status"] == "pending"
    second = buyer.pay("pays")
    assert second["id"] != first["id"]
    buyer.wait_for_order(status="paid")
    assert buyer.movements() == [("capture", 37)]


def test_a_refund_from_outside_comes_in(buyer: Buyer) -> None:
    payment = buyer.pay("pays")
    buyer.wait_for_order(status="paid")
    assert choose(payment, "refund_outside", amount="7.00").status_code == 303
    buyer.wait_for_order(status="paid", refunded="7.00")
    assert buyer.movements() == [("capture", 37), ("refund", 7)]


def test_a_chargeback_and_its_reversal_come_in(buyer: Buyer) -> None:
    payment = buyer.pay("pays")
    buyer.wait_for_order(status="paid")
    expected = [("capture", 37)]
    for course in ("chargeback", "chargeback_reversal"):
        assert choose(payment, course).status_code == 303
        expected.append((course, 37))
        wait_for(lambda: buyer.movements() == expected, seconds=60)
    assert buyer.order_now()["status"] == "paid"


def next_fault(service: Service, **fault: str) -> None:
    """Set what happens once at the provider, as its start page does."""
    answer = requests.post(f"{service.environment['TEST_PROVIDER_URL']}/next", data=fault, timeout=20)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("fault", "status", "refunded"),
    [
        *[("", "done", "7.00"), ("refused", "failed", "0.00"), ("error", "done", "7.00")],
        *[("fails_later", "failed", "0.00"), ("comes_back", "failed", "0.00")],
    ],
)
def test_a_refund_by_staff_is_what_the_provider_says(buyer: Buyer, fault: str, status: str, refunded: str) -> None:
    buyer.pay("pays")
    buyer.wait_for_order(status="paid")
    next_fault(buyer.service, next_refund=fault)
    staff, path = buyer.service.token(), f"/orders/{buyer.order}/refunds/"
    answer = buyer.service.request("POST", path, token=staff, json={"amount": "7.00", "reason": "A scratch"})
    assert answer.status_code == 201, answer.text

    def now() -> Any:
        [refund] = buyer.service.request("GET", path, token=staff).json()["results"]
        return refund

    wait_for(lambda: now()["status"] == status, seconds=60, name=f"the refund is {status}")
    assert buyer.order_now()["refunded"] == refunded
    back = [("refund", 7), ("refund_reversal", 7)] if fault == "comes_back" else []
    assert buyer.movements() == [("capture", 37), *([("refund", 7)] if status == "done" else back)]


def test_a_paid_order_that_is_cancelled_is_refunded_in_full(buyer: Buyer) -> None:
    buyer.pay("pays")
    buyer.wait_for_order(status="paid")
    buyer.send("POST", f"/orders/{buyer.order}/cancel/")
    buyer.wait_for_order(status="cancelled", refunded="37.00")
    assert buyer.movements() == [("capture", 37), ("refund", 37)]


def test_money_that_comes_after_the_cancellation_goes_back_once(buyer: Buyer) -> None:
    payment = buyer.pay("pays_late", seconds="5")
    buyer.send("POST", f"/orders/{buyer.order}/cancel/")
    buyer.wait_for_order(status="cancelled", refunded="37.00")
    provider_events(buyer.service, payment, count=3)  # cancelled, paid, refunded
    assert buyer.movements() == [("capture", 37), ("refund", 37)]


def test_the_readmes_tour_pays(paying: Service, product: int, tmp_path: Path) -> None:
    take_the_tour(paying, tmp_path, is_paying=True)

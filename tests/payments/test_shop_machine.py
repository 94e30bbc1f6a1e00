"""The stateful property test of the whole shop: a guest and a user, delivery, payments, expiry, late money, refunds.

The provider's books are kept in memory. Events come late, twice or never, and the clock is moved. Longer:
`HYPOTHESIS_PROFILE=long python -m pytest tests/payments/test_shop_machine.py`.
"""

import os
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule, run_state_machine_as_test
from rest_framework.test import APIClient

from accounts import guests
from delivery.models import DeliveryMethod
from payments import asking, events, expiry, sending
from payments.ledger import order_balance
from payments.models import MoneyMovement, Payment, ProviderEvent, Refund, RefundLine
from tests import factories
from tests.carts.test_checkout_machine import Shop, ShopProduct, which_customer, which_product
from tests.payments.books import Books
from tests.signing_in import without_token

pytestmark = pytest.mark.django_db

ZERO = Decimal("0.00")
HOLD = timedelta(minutes=30)
JSON = "application/json"


@dataclass
class Attempt:
    """The model of a payment: how it stands at the provider, and what the shop knows of that."""

    number: str  # of its order
    id: int
    reference: str
    state: str = "open"
    known: str = "open"
    outside: Decimal = ZERO  # refunded at the provider's own site, and unknown to the shop
    captured: Decimal = ZERO  # by the shop's ledger, and what of it went back
    refunded: Decimal = ZERO
    automatic: Decimal = ZERO
    cancel_requested: bool = False

    @property
    def kept(self) -> Decimal:
        return self.captured - self.refunded


@dataclass
class Sale:
    """What the model knows of an order beyond its lines and status."""

    expires_at: datetime
    attempts: list[Attempt] = field(default_factory=list)  # in the order in which their money became known
    pieces_refunded: dict[int, int] = field(default_factory=dict)

    @property
    def captured(self) -> Decimal:
        return sum((attempt.captured for attempt in self.attempts), ZERO)

    @property
    def refunded(self) -> Decimal:
        return sum((attempt.refunded for attempt in self.attempts), ZERO)


class PayingShop(Shop):
    books: Books
    clock: time_machine.Traveller
    delivery = Decimal("2.50")

    @initialize()
    def open(self) -> None:
        for model in (MoneyMovement, RefundLine, Refund, Payment, ProviderEvent):
            model.objects.all().delete()
        super().open()
        self.clock.shift(timedelta(hours=2))  # no throttle counts the requests of the run before
        self.books.rows.clear()
        self.attempts: list[Attempt] = []
        self.sales: dict[str, Sale] = {}

    def add(self, customer: int, product: int, quantity: int) -> None:
        is_new = customer not in self.baskets
        super().add(customer, product, quantity)
        if is_new and customer in self.baskets:
            details = {"delivery_method": "pickup", "email": "someone@example.com"}
            response = self.customers[customer].patch(f"/carts/{self.baskets[customer].id}/", details)
            assert response.json()["missing"] == []

    def sold(self, customer: int, number: str, total: str) -> None:
        super().sold(customer, number, total)
        self.orders[number].status = "pending"
        self.sales[number] = Sale(timezone.now() + HOLD)

    # --- Paying ---

    @precondition(lambda self: self.orders)
    @rule(data=st.data(), pays=st.booleans())
    def begin(self, data: Any, pays: bool) -> None:
        """Start a payment, or go on with the open one; with `pays` the customer pays it immediately."""
        attempt = self.begin_payment(data.draw(st.sampled_from(list(self.orders))))
        if attempt is not None and pays:
            self.pay_at_provider(attempt)

    def begin_payment(self, number: str) -> Attempt | None:
        order, sale = self.orders[number], self.sales[number]
        customer = self.customers[order.owner]
        response = customer.post(f"/orders/{number}/payments/", {"method": "books"})
        if order.status != "pending" or timezone.now() >= sale.expires_at:
            assert (response.status_code, response.json()["type"]) == (409, "/problems/order-state")
            return None
        going_on = [each for each in self.attempts if each.number == number and each.known == "open"]
        assert response.status_code == (200 if going_on else 201)
        assert (response.json()["status"], response.json()["amount"]) == ("pending", order.total)
        if not going_on:
            reference = Payment.objects.get(pk=response.json()["id"]).reference or ""
            self.attempts.append(Attempt(number, response.json()["id"], reference))
        return going_on[0] if going_on else self.attempts[-1]

    @rule(
        customer=which_customer,
        product=which_product,
        course=st.sampled_from(["paid", "late", "cancelled", "cancelled before the event", "refunded in part"]),
    )
    def whole_course(self, customer: int, product: int, course: str) -> None:
        """Several steps in one, so that short runs meet money in each state of an order."""
        before = set(self.orders)
        self.add(customer, product, 1)
        self.buy(customer, product, patch=False)  # and another piece
        for number in set(self.orders) - before:
            attempt = self.begin_payment(number)
            assert attempt is not None
            if course == "late":
                self.time_passes(31)
            self.pay_at_provider(attempt)
            if course == "cancelled before the event":
                self.set_status(number, by_staff=False, step="cancel")
            self.tell(attempt, times=2)
            if course == "refunded in part":
                self.refund_one_piece(number, *self.orders[number].lines[0], restock=True)
            if course in ("cancelled", "refunded in part"):
                self.set_status(number, by_staff=True, step="cancel")

    def pay_at_provider(self, attempt: Attempt) -> None:
        if attempt.state != "paid":
            self.books.pay(attempt.reference)
            attempt.state = "paid"

    @precondition(lambda self: self.attempts)
    @rule(data=st.data(), step=st.sampled_from(["pay", "fail", "refund"]))
    def happens_at_the_provider(self, data: Any, step: str) -> None:
        """The shop is not told. Money may come for attempts that failed or were cancelled."""
        attempt = data.draw(st.sampled_from(self.attempts))
        if step == "pay":
            self.pay_at_provider(attempt)
        elif step == "fail" and attempt.state == "open":
            self.books.fail(attempt.reference)
            attempt.state = "failed"
        elif step == "refund" and attempt.state == "paid" and not attempt.refunded and not attempt.outside:
            self.books.refund_outside(attempt.reference, Decimal("1.00"))
            attempt.outside = Decimal("1.00")

    @precondition(lambda self: self.attempts)
    @rule(data=st.data(), times=st.integers(1, 3))
    def event_comes(self, data: Any, times: int) -> None:
        self.tell(data.draw(st.sampled_from(self.attempts)), times)

    def tell(self, attempt: Attempt, times: int) -> None:
        body, headers = self.books.event(attempt.reference)
        for _ in range(times):
            response = APIClient().generic(
                "POST", "/payment-events/books/", body.decode(), "application/json", headers=headers
            )
            assert response.status_code == 200
        for event_id in events.due():
            events.process(event_id)
        self.learn(attempt)

    @precondition(lambda self: self.attempts)
    @rule(data=st.data())
    def customer_looks(self, data: Any) -> None:
        attempt = data.draw(st.sampled_from(self.attempts))
        customer = self.customers[self.orders[attempt.number].owner]
        self.clock.shift(timedelta(seconds=3))
        shown = customer.get(f"/orders/{attempt.number}/payments/{attempt.id}/").json()
        if attempt.known == "open":
            self.learn(attempt)
        names = {"open": "pending", "paid": "succeeded"}
        assert shown["status"] == names.get(attempt.known, attempt.known)

    @rule(minutes=st.sampled_from([0, 5, 31, 90]))
    def time_passes(self, minutes: int) -> None:
        """The sweeps run after some time: of orders whose time is over, of payments, of refunds."""
        self.clock.shift(timedelta(minutes=minutes))
        expiry.sweep()
        over = [number for number, sale in self.sales.items() if sale.expires_at <= timezone.now()]
        for number in sorted(over, key=lambda number: self.sales[number].expires_at):
            self.expire(number)
        self.ask_all()

    def ask_all(self) -> None:
        for attempt in self.attempts:
            asking.ask_now(attempt.id)
            self.learn(attempt)

    def expire(self, number: str) -> None:
        order = self.orders[number]
        if order.status != "pending":
            return
        for attempt in self.attempts:
            if attempt.number == number and attempt.known == "open":
                attempt.cancel_requested = True
                self.learn(attempt)
        if order.status == "pending":
            self.restock(order)
            order.status = "expired"
            self.decide(number)

    # --- What the shop makes of it ---

    def learn(self, attempt: Attempt) -> None:
        """The shop asks the provider about the attempt."""
        if attempt.state == "open" and attempt.cancel_requested and attempt.known == "open":
            attempt.state = "cancelled"
        attempt.known = attempt.state
        sale = self.sales[attempt.number]
        if attempt.state == "paid" and not attempt.captured:
            attempt.captured = Decimal(self.orders[attempt.number].total)
            sale.attempts.append(attempt)
        attempt.refunded, attempt.outside = attempt.refunded + attempt.outside, ZERO
        self.decide(attempt.number)

    def decide(self, number: str) -> None:
        order, sale = self.orders[number], self.sales[number]
        total = Decimal(order.total)
        if order.status == "pending" and sale.captured >= total:
            order.status = "paid"
            self.request_cancel(number)
        elif order.status == "expired" and sale.captured - sale.refunded >= total and self.has_stock(number):
            for product, quantity in order.lines:
                product.quantity -= quantity
            order.status = "paid"
            self.request_cancel(number)
        if order.status in ("expired", "cancelled"):
            for attempt in sale.attempts:
                self.refund_by_itself(attempt, attempt.kept)
        elif order.status in ("paid", "fulfilled"):
            missing = total
            for attempt in sale.attempts:
                net = attempt.captured - attempt.automatic
                excess = max(ZERO, net - missing)
                missing -= net - excess
                self.refund_by_itself(attempt, min(excess, attempt.kept))
        self.send_refunds()

    def has_stock(self, number: str) -> bool:
        return all(product.available >= quantity for product, quantity in self.orders[number].lines)

    @staticmethod
    def refund_by_itself(attempt: Attempt, amount: Decimal) -> None:
        attempt.automatic += amount
        attempt.refunded += amount

    def request_cancel(self, number: str) -> None:
        for attempt in self.attempts:
            if attempt.number == number and attempt.known == "open":
                attempt.cancel_requested = True

    def send_refunds(self) -> None:
        """The provider is asked before it is sent a refund: the shop learns what was refunded there."""
        for refund_id in sending.due():
            payment_id = Refund.objects.get(pk=refund_id).payment_id
            attempt = next(attempt for attempt in self.attempts if attempt.id == payment_id)
            sending.send(refund_id)
            attempt.refunded, attempt.outside = attempt.refunded + attempt.outside, ZERO

    # --- Staff ---

    def set_status(self, number: str, *, by_staff: bool, step: str) -> None:
        super().set_status(number, by_staff=by_staff, step=step)
        for number, order in self.orders.items():
            if order.status == "cancelled":
                self.request_cancel(number)
                self.decide(number)

    @precondition(lambda self: self.orders)
    @rule(data=st.data(), amount=st.sampled_from(["0.50", "5.00", "60.00"]))
    def refund(self, data: Any, amount: str) -> None:
        number = data.draw(st.sampled_from(list(self.orders)))
        self.request_refund(number, {"amount": amount}, Decimal(amount))

    @precondition(lambda self: self.orders)
    @rule(data=st.data(), restock=st.booleans())
    def refund_piece(self, data: Any, restock: bool) -> None:
        number = data.draw(st.sampled_from(list(self.orders)))
        self.refund_one_piece(number, *data.draw(st.sampled_from(self.orders[number].lines)), restock=restock)

    def refund_one_piece(self, number: str, product: ShopProduct, quantity: int, *, restock: bool) -> None:
        order, sale = self.orders[number], self.sales[number]
        refunded = sale.pieces_refunded.get(product.id, 0)
        price = self.price_of(number, product.name)
        body = {"items": [{"sku": product.sku, "quantity": 1, "restock": restock}]}
        if refunded == quantity:
            response = self.staff.post(f"/orders/{number}/refunds/", body)
            assert response.status_code == 400
        elif self.request_refund(number, body, price):
            sale.pieces_refunded[product.id] = refunded + 1
            if restock and order.status not in ("cancelled", "expired"):
                product.quantity += 1
                order.restocked[product.id] += 1

    def price_of(self, number: str, name: str) -> Decimal:
        items = self.staff.get(f"/orders/{number}/").json()["items"]
        return next(Decimal(item["unit_price"]) for item in items if item["name"] == name)

    def request_refund(self, number: str, body: dict[str, Any], amount: Decimal) -> bool:
        """Request a refund, compare the answer with the model's, and return whether it was made."""
        sale, order = self.sales[number], self.orders[number]
        response = self.staff.post(f"/orders/{number}/refunds/", body)
        refundable = max(ZERO, *(attempt.kept for attempt in sale.attempts), ZERO)
        if order.status == "pending" or not sale.captured:
            assert response.json()["type"] == "/problems/order-state"
            return False
        if amount > refundable:
            assert (response.status_code, response.json()["refundable"]) == (409, f"{refundable:.2f}")
            return False
        assert (response.status_code, response.json()["amount"]) == (201, f"{amount:.2f}")
        next(attempt for attempt in sale.attempts if attempt.kept >= amount).refunded += amount
        self.send_refunds()
        return True

    # --- Invariants ---

    @invariant()
    def money_equals_the_model(self) -> None:
        shown = {order["number"]: order for order in self.staff.get("/orders/?limit=100").json()["results"]}
        for number, sale in self.sales.items():
            assert shown[number]["refunded"] == f"{sale.refunded:.2f}"
            assert (shown[number]["expires_at"] is None) == (self.orders[number].status != "pending")

    def teardown(self) -> None:
        """When the shop has asked about everything, its ledger is the provider's books."""
        if not hasattr(self, "attempts"):
            return
        self.ask_all()
        ledger = {number: order_balance(order_id) for number, order_id in self.order_ids().items()}
        assert sum((balance.kept for balance in ledger.values()), ZERO) == self.books.balance()

    @staticmethod
    def order_ids() -> dict[str, int]:
        return dict(Payment.objects.values_list("order__number", "order_id"))


@pytest.mark.thorough  # random courses
def test_the_paying_shop_and_its_model_agree(books: Books, settings: Any) -> None:
    settings.GUEST_CHECKOUT = True
    DeliveryMethod.objects.create(code="pickup", name="Pickup", price=PayingShop.delivery, needs_address=False)
    PayingShop.books = books
    _, token = guests.create_guest()
    guest = APIClient(headers={"Guest-Token": token})
    PayingShop.customers = [without_token(factories.user("buyer")), guest]
    PayingShop.staff = without_token(factories.user("stella", is_staff=True, is_superuser=True))
    profile = hypothesis_settings.get_profile(os.environ.get("HYPOTHESIS_PROFILE", "short"))
    with time_machine.travel(timezone.now(), tick=False) as clock:
        PayingShop.clock = clock
        run_state_machine_as_test(PayingShop, settings=profile)

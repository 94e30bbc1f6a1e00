"""An order is paid, refunded and charged back by Stripe over HTTP; no secret is in a log line, an answer or a row."""

import logging
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from rest_framework.test import APIClient

from payments import providers, sending, tasks
from payments.models import MoneyMovement, Payment, ProviderEvent, Refund
from productbackend.observability.logs import JSONFormatter
from tests.buying import fill_cart
from tests.dumping import tables_that_say
from tests.payments.stripe_server import KEY, Books, running, signed

pytestmark = pytest.mark.django_db

WEBHOOK = "whsec_0123456789abcdefghijklmnopqrst"
EVENTS = "/payment-events/stripe/"


@pytest.fixture
def stripe(settings: Any) -> Iterator[Books]:
    settings.PAYMENT_METHODS = ["stripe"]
    settings.STRIPE_SECRET_KEY, settings.STRIPE_PUBLISHABLE_KEY = KEY, "pk_test_1"
    settings.STRIPE_WEBHOOK_SECRETS = [WEBHOOK]
    providers.provider.cache_clear()
    with running() as (settings.STRIPE_API_BASE, books):
        yield books
    providers.provider.cache_clear()


class Lines(logging.Handler):
    """Collects lines as they are written, and the messages before they are redacted."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(JSONFormatter())
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines += [self.format(record), record.getMessage()]


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[list[str]]:
    """The lines of all loggers; of our own and of the HTTP client's from DEBUG on."""
    handler = Lines()
    logging.getLogger().addHandler(handler)
    for name in ("payments", "orders", "productbackend", "urllib3"):
        caplog.set_level(logging.DEBUG, logger=name)
    yield handler.lines
    logging.getLogger().removeHandler(handler)


def deliver(client: APIClient, books: Books, secret: str = WEBHOOK) -> list[int]:
    """Send all events of the provider; return the statuses of the answers."""
    statuses = []
    for event in books.events.values():
        body, headers = signed(event, secret)
        answer = client.post(EVENTS, body, content_type="application/json", headers=headers)
        statuses.append(answer.status_code)
    return statuses


def start(stripe: Books, customer: APIClient) -> tuple[str, str, str]:
    """Start a payment, which has no answer at first; return the order's number, the payment's path and its secret."""
    number = customer.post(f"/carts/{fill_cart(customer)}/checkout/").json()["number"]
    path = f"/orders/{number}/payments/"
    stripe.faults.append("500 after")
    answers = [customer.post(path, {"method": "stripe"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [503, 201]
    [intent] = stripe.intents.values()
    payment = answers[1].json()
    assert payment["client_secret"] == intent["client_secret"]
    return number, f"{path}{payment['id']}/", payment["client_secret"]


def pay(stripe: Books, api: APIClient, secret: str) -> None:
    """Pay after a declined card whose error quotes secrets; the events come twice, and forged ones before them."""
    [reference] = stripe.intents
    stripe.decline(reference, f"{KEY} {secret} {WEBHOOK}")
    tasks.ask(Payment.objects.get().pk)
    assert Payment.objects.get().error == "*** *** ***"
    stripe.pay(reference)
    assert deliver(api, stripe, "whsec_of_somebody_else") == [400] * len(stripe.events)
    assert not ProviderEvent.objects.exists()
    assert deliver(api, stripe) == deliver(api, stripe) == [200] * len(stripe.events)
    for event in ProviderEvent.objects.all():
        tasks.process_event(event.pk)


def refund(stripe: Books, staff: APIClient, number: str) -> None:
    """Refund a part; Stripe makes the refund, and does not answer at first."""
    answer = staff.post(f"/orders/{number}/refunds/", {"amount": "5.00", "reason": "Scratched."})
    assert answer.status_code == 201, answer.content
    stripe.faults.extend(["", "", "", "500 after"])  # three reads; then the effect, and no answer
    sending.send(Refund.objects.get().pk)
    assert (len(stripe.refunds), Refund.objects.get().status) == (1, "pending")
    Refund.objects.update(due_at=Refund.objects.get().created_at)
    sending.send(Refund.objects.get().pk)
    assert [made["amount"] for made in stripe.refunds.values()] == [500]


def test_a_trip_with_every_fault(
    stripe: Books, lines: list[str], customer: APIClient, staff: APIClient, api: APIClient
) -> None:
    [method] = api.get("/payment-methods/").json()["results"]
    assert (method["code"], method["publishable_key"]) == ("stripe", "pk_test_1")
    number, path, secret = start(stripe, customer)
    pay(stripe, api, secret)
    assert customer.get(f"/orders/{number}/").json()["status"] == "paid"
    assert customer.get(path).json()["status"] == "succeeded"
    refund(stripe, staff, number)
    stripe.dispute(next(iter(stripe.intents)), 1490)
    tasks.reconcile()
    assert set(MoneyMovement.objects.values_list("kind", flat=True)) == {"capture", "refund", "chargeback"}
    assert customer.get(f"/orders/{number}/").json()["refunded"] == "5.00"
    call_command("check_payments", "--provider", stdout=StringIO())
    text = "\n".join(lines)
    assert "payments" in text
    for hidden in (KEY, WEBHOOK, secret):
        assert hidden not in text
        assert tables_that_say(hidden) == []


def test_a_logger_that_logs_a_secret_is_found(lines: list[str]) -> None:
    logging.getLogger("payments.control").debug("The key is %s", KEY)
    assert KEY in "\n".join(lines)

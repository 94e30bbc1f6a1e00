"""Checks of `manage.py doctor`: whether payments can come in, and whether money or orders wait too long."""

from collections.abc import Iterator
from datetime import timedelta
from email.utils import parsedate_to_datetime

from django.conf import settings
from django.utils import timezone

from payments import differences, watching
from payments.models import Payment, ProviderEvent
from payments.providers import provider
from payments.providers.base import ProviderRefused, ProviderUnavailable
from productbackend.doctor import clock, findings
from productbackend.doctor.findings import Finding, Findings, bad, good, warn
from productbackend.doctor.site import Site

SENDING_EVENTS = ("stripe", "test")  # providers that call /payment-events/
STRIPE = "https://api.stripe.com"
PERIOD = timedelta(days=7)
# Seconds, as in deploy/prometheus/alerts.yml.
OVERDUE_MAX, UNSENT_MAX = 600, 3600


def methods() -> Findings:
    """Whether each offered method has what its customers need."""
    if not settings.PAYMENT_METHODS:
        yield good("PAYMENT_METHODS is unset: checkout writes paid orders")
        return
    yield from _defects()
    if "test" in settings.PAYMENT_METHODS:
        yield warn("PAYMENT_METHODS names test: anybody can pay without money")
    yield good(f"offered: {', '.join(settings.PAYMENT_METHODS)}")


def _defects() -> Iterator[Finding]:
    if "stripe" in settings.PAYMENT_METHODS and not settings.STRIPE_PUBLISHABLE_KEY:
        yield warn("STRIPE_PUBLISHABLE_KEY is unset: front ends cannot show Stripe's form unless they know it")
    if "stripe" in settings.PAYMENT_METHODS and settings.HTTPS and "_test_" in settings.STRIPE_SECRET_KEY:
        yield warn("STRIPE_SECRET_KEY is of Stripe's test mode: no money is taken")
    if "transfer" in settings.PAYMENT_METHODS and not settings.TRANSFER_INSTRUCTIONS:
        yield bad("TRANSFER_INSTRUCTIONS is unset: customers do not learn to which account to pay")


def providers() -> Findings:
    """Whether each offered provider answers, and accepts the shop's key."""
    for code in settings.PAYMENT_METHODS:
        try:
            count = sum(1 for _ in provider(code).list_since(timezone.now()))
        except (ProviderUnavailable, ProviderRefused) as error:
            yield bad(f"{code}: {error}; nobody can pay by it now")
        else:
            yield good(f"{code} answers" + (f", {count} payments in this second" if count else ""))


def provider_clock() -> Findings:
    """The clock of Stripe, whose signatures are valid for five minutes, by the header of an answer without a key."""
    if "stripe" not in settings.PAYMENT_METHODS:
        return
    base = settings.STRIPE_API_BASE or STRIPE

    def read_clock() -> float:
        return parsedate_to_datetime(Site().get(f"{base}/v1/charges").headers["Date"]).timestamp() + 0.5

    yield clock.compare(read_clock, "Stripe's")


def endpoints() -> Findings:
    """Whether SITE_URL leads to the endpoints that providers call."""
    site = Site()
    for code in (code for code in settings.PAYMENT_METHODS if code in SENDING_EVENTS):
        path = f"/payment-events/{code}/"
        status = site.get(path).status
        if status == 405:  # it takes POST alone
            yield good(f"{site.url}{path} is reachable")
        else:
            yield bad(f"{site.url}{path} responds {status}: is SITE_URL right, and does the proxy forward the path?")


def events() -> Findings:
    """Whether events have come from the providers by which customers have paid lately."""
    since = timezone.now() - PERIOD
    for code in (code for code in settings.PAYMENT_METHODS if code in SENDING_EVENTS):
        paid = Payment.objects.filter(method=code, status=Payment.Status.SUCCEEDED, created_at__gte=since).count()
        came = ProviderEvent.objects.filter(provider=code, created_at__gte=since).exclude(reference="").count()
        if paid and not came:
            yield bad(
                f"{paid} payments by {code} in {PERIOD.days} days, and no event about one: register "
                f"{settings.SITE_URL}/payment-events/{code}/ at the provider, and set its signing secret here"
            )
        elif paid:
            yield good(f"{came} events of {code} about payments in {PERIOD.days} days")


def overdue() -> Findings:
    """Whether orders or money wait too long, as in the alerts."""
    found = [
        (watching.oldest_overdue_order_seconds(), OVERDUE_MAX, "an unpaid order has not expired", "OrdersOverdue"),
        (watching.oldest_unsent_refund_seconds(), UNSENT_MAX, "a refund does not reach its provider", "RefundsWaiting"),
    ]
    late = [(seconds, text, alert) for seconds, most, text, alert in found if seconds > most]
    for seconds, text, alert in late:
        yield bad(f"{text} for {seconds / 60:.0f} minutes: see {alert} in docs/runbook.md")
    failed, wrong = int(watching.failed_refunds()), len(differences.differences())
    if failed:
        yield bad(f"{failed} refunds have failed: see RefundsFailed in docs/runbook.md")
    if wrong:
        yield bad(f"{wrong} differences of money wait for staff: manage.py check_payments, and the admin, list them")
    if not (late or failed or wrong):
        yield good("no order, refund or difference waits too long")


def register() -> None:
    """Register the checks."""
    findings.REGISTERED.extend(
        [
            findings.Check("payment methods", methods),
            findings.Check("payment providers", providers, "the database"),
            findings.Check("payment clock", provider_clock, "the site"),
            findings.Check("payment endpoints", endpoints, "the site"),
            findings.Check("payment events", events, "the database"),
            findings.Check("payments overdue", overdue, "the database"),
        ]
    )

"""Comparing with the providers' books: what only they know comes in, and what differs even then is kept for staff."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from orders.models import Order
from payments import providers, reconciling, tasks
from payments.differences import Kind, differences, provider_count
from payments.models import MoneyMovement, Payment, Refund
from payments.providers.base import ProviderRefused, ProviderUnavailable, Snapshot, State
from tests.payments import books as module
from tests.payments.books import SECRET, Books
from tests.payments.paying import TOTAL, paid_order, pending_order, settle_by, started

pytestmark = pytest.mark.django_db

FIVE = Decimal("5.00")


class StrictBooks(Books):
    """Books that refuse a payment that they do not know, and may not answer at all."""

    silent: type[Exception] | None = None  # the error of a list

    def fetch(self, reference: str) -> Snapshot:
        if reference not in self.rows:
            raise ProviderRefused("No such payment.")
        return super().fetch(reference)

    def list_since(self, since: Any) -> Any:
        if self.silent:
            raise self.silent("no answer")
        return super().list_since(since)


@pytest.fixture
def strict(books: Books, monkeypatch: pytest.MonkeyPatch) -> StrictBooks:
    monkeypatch.setattr(module, "BOOKS", StrictBooks())
    providers.provider.cache_clear()
    return module.BOOKS  # type: ignore[return-value]


def shown() -> list[tuple[Kind, Decimal | None]]:
    return [(row.kind, row.amount) for row in differences()]


def test_money_refunds_and_chargebacks_that_only_the_provider_knows_come_in(books: Books) -> None:
    unpaid = pending_order()
    payment = started(books, unpaid)
    books.pay(payment.reference or "")  # and its event was lost
    order, paid = paid_order(books)
    books.refund_outside(paid.reference or "", FIVE)
    books.charge_back(paid.reference or "", Decimal("2.00"))
    assert reconciling.reconcile_all() == (2, [])
    assert Order.objects.get(pk=unpaid.pk).status == Order.Status.PAID
    assert Order.objects.get(pk=order.pk).refunded == FIVE
    assert Refund.objects.get().status == Refund.Status.DONE
    assert dict(MoneyMovement.objects.filter(payment=paid).values_list("kind", "amount")) == {
        "capture": TOTAL,
        "refund": FIVE,
        "chargeback": Decimal("2.00"),
    }
    assert differences() == []
    before = MoneyMovement.objects.count()
    reconciling.reconcile_all()
    assert MoneyMovement.objects.count() == before


def test_a_payment_whose_start_was_not_recorded_is_found_by_our_key(books: Books) -> None:
    order = pending_order()
    payment = started(books, order)
    Payment.objects.filter(pk=payment.pk).update(reference=None)
    books.pay(payment.reference or "")
    reconciling.reconcile_all()
    assert Order.objects.get(pk=order.pk).status == Order.Status.PAID
    assert differences() == []


def test_money_of_nobody_is_a_difference_until_it_goes_back(books: Books) -> None:
    books.rows["pay_x"] = Snapshot("pay_x", "", State.OPEN, FIVE, "EUR")
    books.pay("pay_x")
    for _ in range(2):
        reconciling.reconcile_all()
    [row] = differences()
    assert (row.kind, row.amount, row.currency, row.order) == (Kind.UNKNOWN_MONEY, FIVE, "EUR", None)
    assert "pay_x" in row.what
    assert "refund it there" in row.to_do
    books.refund_outside("pay_x", FIVE)
    books.changed["pay_x"] = timezone.now() - timedelta(days=9)  # is not listed any more
    reconciling.reconcile_all()
    assert shown() == []


def test_a_foreign_payment_without_money_is_no_difference(books: Books) -> None:
    books.rows["pay_x"] = Snapshot("pay_x", "", State.OPEN, FIVE, "EUR")
    books.changed["pay_x"] = timezone.now()
    assert reconciling.reconcile_all() == (1, [])
    assert shown() == []


def test_a_payment_that_the_provider_does_not_know(strict: StrictBooks) -> None:
    payment = started(strict, pending_order())
    row = strict.rows.pop(payment.reference or "")
    strict.changed.clear()
    reconciling.reconcile_all()
    assert shown() == [(Kind.UNKNOWN_PAYMENT, TOTAL)]
    assert payment.order.number in differences()[0].what
    strict.rows[row.reference] = row
    strict.changed[row.reference] = timezone.now()
    reconciling.reconcile_all()
    assert shown() == []


@pytest.mark.parametrize("change", [{"key": "another"}, {"currency": "USD"}])
def test_what_cannot_be_settled_is_a_difference(books: Books, change: dict[str, str]) -> None:
    payment = started(books, pending_order())
    reference = payment.reference or ""
    books.rows[reference] = replace(books.pay(reference), **change)  # type: ignore[arg-type]
    reconciling.reconcile_all()
    assert shown() == [(Kind.BOOKS, TOTAL)]
    assert "missing in the ledger" in differences()[0].what


def test_a_refund_that_came_back_comes_in(books: Books) -> None:
    order, payment = paid_order(books)
    reference = payment.reference or ""
    done = books.refund_outside(reference, FIVE)
    settle_by(books, payment)
    books.return_refunds(reference)
    reconciling.reconcile_all()
    assert shown() == []
    assert (Refund.objects.get().status, Order.objects.get(pk=order.pk).refunded) == ("failed", Decimal("0.00"))
    # One that the provider has done nevertheless, and half of one, are differences.
    books.rows[reference] = replace(books.rows[reference], refunds=(done,))
    reconciling.reconcile_all()
    assert shown() == [(Kind.BOOKS, FIVE)]
    books.return_refunds(reference)
    MoneyMovement.objects.filter(kind="refund_reversal").update(amount=Decimal("2.00"))
    reconciling.reconcile_all()
    assert shown() == [(Kind.BOOKS, Decimal("3.00"))]


def test_a_movement_of_another_amount_is_a_difference(books: Books) -> None:
    _, payment = paid_order(books)
    MoneyMovement.objects.filter(payment=payment).update(amount=Decimal("19.91"))
    reconciling.reconcile_all()
    assert shown() == [(Kind.BOOKS, Decimal("0.01"))]
    assert "is 19.90 at books and 19.91 in the ledger" in differences()[0].what


def test_a_payment_that_moves_meanwhile_is_no_difference(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list is older than what a worker has settled since."""
    order, payment = paid_order(books)
    reference = payment.reference or ""
    old = books.rows[reference]
    books.refund_outside(reference, FIVE)
    settle_by(books, payment)
    monkeypatch.setattr(books, "list_since", lambda since: iter([old]))
    reconciling.reconcile_all()
    assert shown() == []
    assert Order.objects.get(pk=order.pk).refunded == FIVE


@pytest.mark.parametrize("error", [ProviderUnavailable, ProviderRefused])
def test_a_silent_provider_fails_the_job_and_keeps_the_differences(strict: StrictBooks, error: type[Exception]) -> None:
    strict.rows["pay_x"] = Snapshot("pay_x", "", State.OPEN, FIVE, "EUR")
    strict.pay("pay_x")
    tasks.reconcile()
    assert provider_count() == 1
    strict.silent = error
    with pytest.raises(ProviderUnavailable, match="books"):
        tasks.reconcile()
    assert provider_count() == 1


def test_a_provider_whose_library_is_missing_did_not_answer(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(providers.MODULES, "books", "payments.providers.removed")
    providers.provider.cache_clear()
    assert reconciling.reconcile_all() == (0, ["books"])


@pytest.mark.parametrize("call", ["list_since", "fetch"])
def test_a_provider_whose_code_fails_did_not_answer(books: Books, monkeypatch: Any, caplog: Any, call: str) -> None:
    started(books, pending_order())
    if call == "fetch":
        books.changed["pay_1"] -= timedelta(days=30)  # so that it is not listed

    def broken(*args: Any) -> Any:
        raise KeyError(SECRET)

    monkeypatch.setattr(books, call, broken)
    assert reconciling.reconcile_all() == (0, ["books"])
    assert "the code of books failed: KeyError" in caplog.text
    assert SECRET not in caplog.text


def check(*arguments: str) -> tuple[list[str], str]:
    """The lines of check_payments --provider, and how it ends."""
    out = StringIO()
    try:
        call_command("check_payments", "--provider", *arguments, stdout=out)
    except CommandError as error:
        return out.getvalue().splitlines(), str(error)
    return out.getvalue().splitlines(), ""


def test_the_command_compares_with_the_providers_too(strict: StrictBooks) -> None:
    paid_order(strict)
    assert check() == (
        [
            "1 payments: the ledger agrees with the providers' books.",
            "1 orders: payments, money and stock agree with every status.",
        ],
        "",
    )
    strict.rows["pay_x"] = Snapshot("pay_x", "", State.OPEN, FIVE, "EUR")
    strict.pay("pay_x")
    lines, end = check("--days", "1")
    assert "pay_x" in lines[0]
    assert end == "The books of providers differ from the ledger in 1 payments."
    strict.silent = ProviderUnavailable
    assert "books did not answer" in check()[1]


def test_only_providers_in_use_are_asked(books: Books, settings: Any) -> None:
    assert reconciling.in_use() == ["books"]
    settings.PAYMENT_METHODS = []
    assert reconciling.in_use() == []
    started(books, _waiting(settings))
    assert reconciling.in_use() == ["books"]  # money of before may still move


def _waiting(settings: Any) -> Order:
    settings.PAYMENT_METHODS = ["books"]
    order = pending_order()
    settings.PAYMENT_METHODS = []
    return order


def test_a_long_text_fits_its_column(books: Books) -> None:
    _, payment = paid_order(books)
    row = books.rows[payment.reference or ""]
    captures = [replace(row.captures[0], reference=f"{number:0200}") for number in range(9)]
    books.rows[row.reference] = replace(row, key="another", captures=captures)
    reconciling.reconcile_all()
    assert [len(found.what) for found in differences()] == [1_000]

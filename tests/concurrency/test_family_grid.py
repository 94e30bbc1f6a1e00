"""The grid of a family in the admin, while its products are sold."""

import threading
import time
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from productbackend.database import transactions
from products.inventory import ledger, stock
from products.models import Family, Product
from tests import factories
from tests.concurrently import outcome
from tests.products.admin.conftest import uncollected_files as uncollected_files
from tests.products.admin.pages import send, shown


def save_during_a_deadlock(*, user: Any) -> tuple[Any, Family]:
    """Save the grid while a transaction holds the last product, and then wants the first one."""
    family = factories.family()
    first, last = (factories.member(family, size, sku=size, quantity=1) for size in "SL")
    client = Client()
    client.force_login(user)
    path = f"/admin/products/family/{family.pk}/change/"
    fields = shown(client, path)
    changed = {f"row-{first.pk}-price": "5.00", f"row-{last.pk}-price": "6.00"}
    found: list[Any] = []
    saving = threading.Thread(target=lambda: found.append(outcome(lambda: send(client, path, fields, **changed))))
    with transaction.atomic():
        stock.sell(wanted=[stock.StockRequest(last.pk, "L", 1)], order_number="X", user=None)
        saving.start()
        time.sleep(1)  # the grid holds the first product now, and waits for the last one
        Product.objects.filter(pk=first.pk).update(is_lead=True, low_stock=3)
    saving.join(timeout=60)
    return found[0], family


@pytest.fixture
def user(db: Any) -> Any:
    return factories.user("stella", is_staff=True, is_superuser=True)


def test_the_grid_is_saved_after_a_deadlock(user: Any) -> None:
    answer, family = save_during_a_deadlock(user=user)
    assert answer.status_code == 302
    rows = Product.objects.filter(family=family).order_by("pk").values_list("price", "quantity", "low_stock")
    assert list(rows) == [(Decimal("5.00"), 1, 3), (Decimal("6.00"), 0, None)]
    assert all(balance.is_correct for balance in ledger.balances())


def test_control_without_the_retry_the_page_fails(user: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transactions, "ATTEMPTS", 1)
    answer, _ = save_during_a_deadlock(user=user)
    assert answer.status_code == 503

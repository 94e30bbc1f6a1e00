"""manage.py check_stock: verifies the ledger and lists products that differ."""

import os
import re
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Sum
from rest_framework.test import APIClient

from products.inventory import ledger
from products.models import Product, StockMovement
from tests import factories

ROOT = Path(__file__).resolve().parents[3]


def check_stock() -> str:
    out = StringIO()
    call_command("check_stock", stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_the_ledger_is_correct_after_every_kind_of_movement(customer: APIClient, staff: APIClient) -> None:
    product = factories.product(quantity=5)
    factories.product("None in stock", quantity=0)
    customer.post("/cart-items/", {"product": product.pk, "quantity": 2})
    cart = customer.get("/carts/").json()["results"][0]["id"]
    number = customer.post(f"/carts/{cart}/checkout/").json()["number"]
    staff.patch(f"/products/{product.pk}/", {"quantity": 9})
    customer.post(f"/orders/{number}/cancel/")
    assert check_stock() == "2 products: every quantity is the sum of its movements.\n"


@pytest.mark.django_db
def test_every_product_that_differs_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "BATCH", 2)
    products = [factories.product(f"Shoe {number}", sku=f"S-{number}", quantity=5) for number in range(5)]
    Product.objects.filter(pk=products[1].pk).update(quantity=6)
    StockMovement.objects.filter(product=products[4]).delete()
    out = StringIO()
    with pytest.raises(CommandError, match="2 of 5 products differ"):
        call_command("check_stock", stdout=out)
    assert out.getvalue().splitlines() == [
        f"product {products[1].pk} (S-1): the quantity is 6, its movements add up to 5",
        f"product {products[4].pk} (S-4): the quantity is 5, its movements add up to 0",
    ]


@pytest.mark.django_db
def test_correct_writes_the_missing_movement_and_keeps_the_quantity() -> None:
    product, other = factories.product(sku="S-1", quantity=5), factories.product(sku="S-2", quantity=5)
    Product.objects.filter(pk=product.pk).update(quantity=2)
    out = StringIO()
    call_command("check_stock", "--correct", stdout=out)
    assert out.getvalue().splitlines() == [
        f"product {product.pk} (S-1): the quantity is 2, its movements add up to 5; corrected by -3",
        "1 of 2 products differed from their movements, and were corrected.",
    ]
    assert check_stock() == "2 products: every quantity is the sum of its movements.\n"
    product.refresh_from_db()
    assert product.quantity == 2
    [movement] = product.movements.filter(reason=StockMovement.Reason.CORRECTION)
    assert (movement.delta, movement.sku) == (-3, "S-1")
    assert other.movements.count() == 1


@pytest.mark.django_db
def test_products_are_read_in_batches(monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any) -> None:
    monkeypatch.setattr(ledger, "BATCH", 2)
    for number in range(4):
        factories.product(f"Shoe {number}")
    with django_assert_num_queries(4):  # the count, two batches, and the last empty one
        check_stock()


@pytest.mark.thorough
@pytest.mark.django_db(transaction=True)
def test_the_process_exits_with_an_error_and_without_a_progress_bar() -> None:
    Product.objects.filter(pk=factories.product(sku="R-1", quantity=5).pk).update(quantity=6)
    result = subprocess.run(
        [sys.executable, "-c", PROCESS, str(connection.settings_dict["NAME"])],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 1
    assert "(R-1): the quantity is 6, its movements add up to 5" in result.stdout
    assert result.stderr == "CommandError: 1 of 1 products differ from their movements.\n"


# The command in a separate process, on the tests' database.
PROCESS = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "productbackend.settings"
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv[1]
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", "check_stock"])
"""


@pytest.mark.django_db(transaction=True)  # ANALYZE TABLE commits
def test_the_sum_of_movements_uses_a_covering_index() -> None:
    """Otherwise a product with a million movements would need as many row reads."""
    product = factories.product()
    StockMovement.objects.bulk_create(StockMovement(product=product, sku="x", delta=0) for _ in range(100))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE TABLE products_stockmovement" if connection.vendor == "mysql" else "ANALYZE")
        cursor.fetchall()
    plan = StockMovement.objects.filter(product=product.pk).order_by().values("product").annotate(sum=Sum("delta"))
    assert re.search("COVERING INDEX|Covering index|Using index", plan.explain())

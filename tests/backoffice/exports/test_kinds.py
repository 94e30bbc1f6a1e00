"""What the columns of each kind of export have."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backoffice.exports import kinds
from backoffice.exports.kinds import Kind
from orders import anonymization
from orders.models import Order
from payments.models import Payment
from tests import factories
from tests.orders.placed import place, place_with_everything

pytestmark = pytest.mark.django_db


def rows_of(kind: Kind) -> list[dict[str, Any]]:
    ids = list(kind.model._default_manager.order_by("pk").values_list("pk", flat=True))
    return [dict(zip(kind.columns, row, strict=True)) for row in kind.rows(ids)]


def test_products() -> None:
    home = factories.category("Home > Garden")
    factories.product(
        "Lamp",
        sku="L-1",
        brand="Lux",
        description="Bright.",
        category=factories.category("Lamps", parent=home),
        price=Decimal("1234.50"),
        quantity=7,
        is_active=False,
        tax_class="reduced",
    )
    factories.product("Bare", sku="B-1", quantity=0)
    lamp, bare = rows_of(kinds.PRODUCTS)
    assert lamp == {
        "sku": "L-1",
        "name": "Lamp",
        "brand": "Lux",
        "description": "Bright.",
        "category": r"Home \> Garden > Lamps",
        "price": Decimal("1234.50"),
        "quantity": 7,
        "is_active": "false",
        "tax_class": "reduced",
        "family": "",
    }
    empty = {"brand": "", "description": "", "category": "", "is_active": "true", "tax_class": "standard"}
    assert bare.items() >= (empty | {"quantity": 0}).items()


def test_the_stock() -> None:
    factories.product("Lamp", sku="L-1", quantity=7)
    assert rows_of(kinds.STOCK) == [{"sku": "L-1", "quantity": 7}]


def test_an_order_with_everything() -> None:
    user = factories.user("carla")
    number = place_with_everything(user.username, (factories.product(price=Decimal("19.90")), 2))
    order = Order.objects.get()
    times = {"created_at": datetime(2026, 3, 1, 22, 59, 59, 999_000, UTC), "paid_at": datetime(2026, 3, 2, tzinfo=UTC)}
    Order.objects.update(refunded=Decimal("5.00"), **times)
    for method, status, reference in [
        ("stripe", "failed", "pi_0"),
        ("stripe", "succeeded", "pi_1"),
        ("transfer", "succeeded", None),
    ]:
        Payment.objects.create(
            order=order, method=method, status=status, amount=order.total, currency="EUR", reference=reference
        )
    [row] = rows_of(kinds.ORDERS)
    order.refresh_from_db()
    assert row == {
        "number": number,
        "status": "paid",
        "created_at": "2026-03-01T22:59:59Z",
        "paid_at": "2026-03-02T00:00:00Z",
        "updated_at": kinds.time_text(order.updated_at),
        "email": "carla@example.com",
        "billing_name": "Coe GmbH",
        "billing_company": "",
        "billing_country": "DE",
        "shipping_country": "DE",
        "currency": "EUR",
        "prices_include_tax": "true",
        "items": Decimal("39.80"),
        "delivery": Decimal("4.90"),
        "net": order.total - order.tax,
        "tax": order.tax,
        "total": Decimal("44.70"),
        "refunded": Decimal("5.00"),
        "tax_lines": "19% 37.57 7.13",
        "delivery_method": "parcel",
        "payment_method": "stripe, transfer",
        "payment_reference": "pi_1",
    }


def test_the_tax_lines_add_up_to_the_order() -> None:
    factories.user("carla")
    shoe, book = factories.product(price=Decimal("19.90")), factories.product("Book", tax_class="reduced")
    rates = {"standard": Decimal(19), "reduced": Decimal("5.5")}
    place_with_everything("carla", (shoe, 3), (book, 1), rates=rates)
    [row] = rows_of(kinds.ORDERS)
    parts = [part.split() for part in row["tax_lines"].split("; ")]
    assert [rate for rate, _, _ in parts] == ["5.5%", "19%"]
    assert sum(Decimal(net) for _, net, _ in parts) == row["net"]
    assert sum(Decimal(tax) for _, _, tax in parts) == row["tax"]


def test_an_order_without_addresses_delivery_tax_or_payment_has_empty_cells() -> None:
    factories.user("carla")
    place("carla", (factories.product(), 1))
    Order.objects.update(paid_at=None)
    [row] = rows_of(kinds.ORDERS)
    names = ("paid_at", "billing_name", "billing_country", "shipping_country", "tax_lines", "payment_method")
    assert {row[name] for name in (*names, "delivery_method", "payment_reference")} == {""}
    assert (row["net"], row["tax"], row["total"]) == (Decimal("19.90"), 0, Decimal("19.90"))


def test_what_was_anonymized_is_not_exported() -> None:
    factories.user("carla")
    place_with_everything("carla", (factories.product(), 1))
    Order.objects.update(created_at=datetime(2000, 1, 1, tzinfo=UTC))
    anonymization.anonymize_old()
    [row] = rows_of(kinds.ORDERS)
    assert (row["email"], row["billing_name"]) == ("", "")
    assert (row["total"], row["billing_country"]) == (Decimal("24.80"), "DE")


@pytest.mark.parametrize("kind", kinds.KINDS.values(), ids=list(kinds.KINDS))
def test_the_number_of_statements_does_not_grow(kind: Kind) -> None:
    factories.user("carla")
    root = factories.category("Root")

    def statements(prefix: str, rows: int) -> int:
        for number in range(rows):
            name = f"{prefix}{number}"
            product = factories.product(name, category=factories.category(name, parent=root))
            place_with_everything("carla", (product, 1))
        ids = list(kind.model._default_manager.order_by("pk").values_list("pk", flat=True))
        with CaptureQueriesContext(connection) as captured:
            assert len(list(kind.rows(ids))) == len(ids)
        return len(captured)

    assert statements("few ", 2) == statements("many ", 10) <= 4

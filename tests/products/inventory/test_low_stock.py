"""Which products run out: by their own threshold, else by the shop's; and the list of the admin that shows them."""

import re
from typing import Any

import pytest
from django.test import Client

from products.inventory import low_stock
from products.models import Product
from tests import factories

pytestmark = pytest.mark.django_db

LIST = "/admin/products/product/"
# Name -> pieces, its own threshold, whether it is on sale, whether it runs out.
CASES = {
    "none left": (0, None, True, True),
    "at the shop's": (5, None, True, True),
    "above the shop's": (6, None, True, False),
    "at its own": (40, 40, True, True),
    "above its own": (1, 0, True, False),
    "at its own of zero": (0, 0, True, True),
    "above its own, below the shop's": (3, 2, True, False),
    "hidden": (0, None, False, False),
    "hidden with its own": (1, 9, False, False),
}


@pytest.fixture
def low() -> set[str]:
    """The names of those that run out, among others."""
    for name, (quantity, own, is_active, _) in CASES.items():
        factories.product(name, quantity=quantity, low_stock=own, is_active=is_active)
    return {name for name, (*_, runs_out) in CASES.items() if runs_out}


def test_what_runs_out(low: set[str], monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    for most in (low_stock.LISTED_MAX, 1):  # few are found by their ids, many by the condition
        monkeypatch.setattr(low_stock, "LISTED_MAX", most)
        assert {product.name for product in low_stock.running_out(Product.objects.all())} == low
    assert low_stock.count(5_000) == len(low)
    assert low_stock.count(2) == 2
    assert [product.name for product in low_stock.fewest(3)] == ["none left", "at its own of zero", "at the shop's"]
    settings.LOW_STOCK = 6
    assert low_stock.count(5_000) == len(low) + 1


def test_the_list_of_the_admin_and_the_form(client: Client, low: set[str]) -> None:
    client.force_login(factories.user("stella", is_staff=True, is_superuser=True))
    page = client.get(f"{LIST}?stock=low").content.decode()
    assert set(re.findall(r'field-label"><a [^>]*>([^<]*)</a>', page)) == {name.replace("'", "&#x27;") for name in low}
    product = Product.objects.get(name="none left")
    form = client.get(f"{LIST}{product.pk}/change/").context["adminform"].form
    data = {name: value for name, value in form.initial.items() if value is not None}
    none: dict[str, Any] = {f"images-{name}": 0 for name in ("TOTAL_FORMS", "INITIAL_FORMS")}
    for entered, stored in (("12", 12), ("", None)):
        response = client.post(
            f"{LIST}{product.pk}/change/", data | none | {"low_stock": entered, "initial-quantity": 0}
        )
        assert response.status_code == 302
        product.refresh_from_db()
        assert product.low_stock == stored

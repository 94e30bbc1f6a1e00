"""What the forms of bulk work take."""

from typing import Any

import pytest

from backoffice.bulk.forms import CategoryForm, OperationForm, PriceForm, StockForm, VisibilityForm
from backoffice.bulk.operations import Operation
from tests import factories


@pytest.mark.parametrize(
    ("form_class", "data", "operation"),
    [
        (PriceForm, {"how": "price_percent", "by": "-2.5"}, Operation("price_percent", "-2.5")),
        (PriceForm, {"how": "price_amount", "by": "1200"}, Operation("price_amount", "1200")),
        (VisibilityForm, {"visible": "yes"}, Operation("visibility", True)),
        (VisibilityForm, {"visible": "no"}, Operation("visibility", False)),
        (StockForm, {"what": "received", "pieces": "5", "note": " D 7 "}, Operation("received", 5, note="D 7")),
        (StockForm, {"what": "correction", "pieces": "-5"}, Operation("correction", -5)),
    ],
)
def test_operations(form_class: type[OperationForm], data: dict[str, str], operation: Operation) -> None:
    form = form_class(data)
    assert form.is_valid(), form.errors
    assert form.operation == operation


@pytest.mark.django_db
def test_a_category_is_chosen_by_its_path_or_left_empty() -> None:
    lamps = factories.category("Lamps", parent=factories.category("Home"))
    form = CategoryForm({"category": str(lamps.pk)})
    assert "Home &gt; Lamps" in form.as_p()
    assert form.is_valid()
    assert form.operation == Operation("category", lamps.pk, path="Home > Lamps")
    empty = CategoryForm({})
    assert empty.is_valid()
    assert empty.operation == Operation("category", None)


@pytest.mark.parametrize(
    ("form_class", "data", "said"),
    [
        (PriceForm, {"how": "price_percent", "by": "0"}, "By 0 no price changes."),
        (PriceForm, {"how": "price_percent", "by": "-100.01"}, "between -100 and 1,000"),
        (PriceForm, {"how": "price_percent", "by": "1001"}, "between -100 and 1,000"),
        (PriceForm, {"how": "price_percent", "by": "1.234"}, "2 decimal places"),
        (PriceForm, {"how": "x", "by": "NaN"}, "Enter a number"),
        (VisibilityForm, {}, "required"),
        (StockForm, {"what": "received", "pieces": "0"}, "By 0 no stock changes."),
        (StockForm, {"what": "received", "pieces": "-1"}, "Fewer pieces are a correction."),
        (StockForm, {"what": "received", "pieces": "1", "note": "x" * 201}, "at most 200"),
        (StockForm, {"what": "received", "pieces": str(2**31)}, "less than or equal to 2147483647"),
    ],
)
def test_errors(form_class: type[OperationForm], data: dict[str, Any], said: str) -> None:
    assert said in str(form_class(data).errors)

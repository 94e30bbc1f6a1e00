"""What bulk work does to a product, with the value before and the new one. The preview and the run share it."""

from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Any

from django.conf import settings

from backoffice.imports import planning
from backoffice.imports.columns import Quantity, Wanted
from backoffice.imports.models import MESSAGE_MAX, Import, ImportRow
from backoffice.imports.planning import Plan, Situation
from productbackend.text.formats import money
from products import categories
from products.inventory import stock
from products.models import Product

CENT = Decimal("0.01")
PRICE_MAX = Decimal("99999999.99")
NO_CATEGORY = "no category"
NAMES = {True: "visible", False: "hidden"}
CATEGORY_DELETED = "The category was deleted."


class Kind(StrEnum):
    PRICE_PERCENT = "price_percent"
    PRICE_AMOUNT = "price_amount"
    VISIBILITY = "visibility"
    CATEGORY = "category"
    RECEIVED = "received"
    CORRECTION = "correction"


@dataclass(frozen=True)
class Operation:
    """One change of many products.

    `value` is, by its kind: a decimal number as text; whether products are visible; the id of a category, or None;
    pieces to be added, which are negative if fewer are there than was thought. `path` is the category's then, `note`
    that of the stock movements.
    """

    kind: str
    value: Any
    path: str = ""
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def movement(self) -> dict[str, str]:
        """What the stock movements have in addition to their pieces."""
        reason = stock.Reason.RESTOCK if self.kind == Kind.RECEIVED else stock.Reason.CORRECTION
        return {"reason": reason, "note": self.note}

    def described(self) -> str:
        """The operation in a few words."""
        match self.kind:
            case Kind.PRICE_PERCENT:
                return f"Price {Decimal(self.value):+f} %"
            case Kind.PRICE_AMOUNT:
                return f"Price {Decimal(self.value):+,.2f} {settings.CURRENCY}"
            case Kind.VISIBILITY:
                return "Show in the shop" if self.value else "Hide from the shop"
            case Kind.CATEGORY:
                return f"Category: {self.path or NO_CATEGORY}"
        text = f"{'Received' if self.kind == Kind.RECEIVED else 'Correction'}: {self.value:+,} pieces"
        return f"{text}. {self.note}" if self.note else text


def operation_of(row: Import) -> Operation:
    """The operation of bulk work."""
    return Operation(**row.operation or {})


class Planner:
    """Plans the rows of a slice, by an operation."""

    def __init__(self, operation: Operation, products: Collection[Product]) -> None:
        self.operation = operation
        self.paths: dict[int, str] = {}
        if operation.kind == Kind.CATEGORY:
            self.paths = categories.path_texts([operation.value, *(product.category_id for product in products)])

    def plan(self, wanted: Wanted, product: Product | None, situation: Situation, **options: Any) -> Plan:
        """The plan of a row, as `planning.plan` makes it of the cells of a file."""
        if product is None:
            return planning.plan(wanted, product, situation)
        values: dict[str, Any] = {}
        errors, note = list(wanted.errors), ""
        match self.operation.kind:
            case Kind.PRICE_PERCENT | Kind.PRICE_AMOUNT:
                values["price"], note = self._price(product.price, errors)
            case Kind.VISIBILITY:
                values["is_active"] = self.operation.value
            case Kind.CATEGORY:
                values.update(self._category(errors))
            case Kind.RECEIVED | Kind.CORRECTION:
                values["quantity"] = Quantity(self.operation.value, is_added=True)
        plan = planning.plan(replace(wanted, values=values, errors=errors), product, situation, **options)
        plan.before, plan.after = (text[:MESSAGE_MAX] for text in self._shown(product, plan))
        if plan.outcome == ImportRow.Outcome.CHANGED:
            plan.message = note
        return plan

    def _price(self, price: Decimal, errors: list[str]) -> tuple[Decimal, str]:
        """The new price, rounded half up to the cent, and what was rounded. Adds to the errors if it is no price."""
        value = Decimal(self.operation.value)
        exact = price + value if self.operation.kind == Kind.PRICE_AMOUNT else price * (100 + value) / 100
        rounded = exact.quantize(CENT, ROUND_HALF_UP)
        if exact < 0:
            errors.append(f"The price would be {money(rounded, settings.CURRENCY)}: it cannot be below zero.")
        elif rounded > PRICE_MAX:
            errors.append(f"The price would be {money(rounded, settings.CURRENCY)}: it is at most {PRICE_MAX:,}.")
        return rounded, f"Rounded from {exact.normalize():,f}." if rounded != exact else ""

    def _category(self, errors: list[str]) -> dict[str, Any]:
        if self.operation.value is None:
            return {"category": []}
        if self.operation.value not in self.paths:
            errors.append(CATEGORY_DELETED)
        return {"category_id": self.operation.value}

    def _shown(self, product: Product, plan: Plan) -> tuple[str, str]:
        """The value before and after the plan; of one that is refused, there is none after it."""
        match self.operation.kind:
            case Kind.PRICE_PERCENT | Kind.PRICE_AMOUNT:
                before, new = product.price, plan.fields.get("price", product.price)
                shown = money(before, settings.CURRENCY), money(new, settings.CURRENCY)
            case Kind.VISIBILITY:
                shown = NAMES[product.is_active], NAMES[plan.fields.get("is_active", product.is_active)]
            case Kind.CATEGORY:
                new = plan.fields.get("category_id", product.category_id)
                shown = self._path(product.category_id), self._path(new)
            case _:
                shown = f"{product.quantity:,}", f"{product.quantity + plan.delta:,}"
        return (shown[0], "") if plan.is_refused else shown

    def _path(self, category_id: int | None) -> str:
        return NO_CATEGORY if category_id is None else self.paths.get(category_id, "")

"""Decides what becomes of a row: the fields that it changes, or why it is refused. The check and the run share it."""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from backoffice.imports import families
from backoffice.imports.columns import FAMILY, OPTION, Quantity, Unreadable, Wanted
from backoffice.imports.families import Families, Membership
from backoffice.imports.models import MESSAGE_MAX, ImportRow
from backoffice.imports.tree import Tree
from products.inventory import stock
from products.models import QUANTITY_MAX, Product

Outcome = ImportRow.Outcome
ADD_PRODUCT, CHANGE_PRODUCT, ADD_CATEGORY = "products.add_product", "products.change_product", "products.add_category"
PERMISSIONS = (ADD_PRODUCT, CHANGE_PRODUCT, ADD_CATEGORY)
NUMBER = re.compile("[1-9][0-9]*")
ZEROS_MAX = 13  # that a spreadsheet may have removed before a number


@dataclass
class Plan:
    """What a row does: the new values of fields, by their names, and the pieces to be added to the stock."""

    wanted: Wanted
    outcome: str
    message: str = ""
    fields: dict[str, Any] = field(default_factory=dict)
    delta: int = 0
    path: list[str] = field(default_factory=list)  # of a category of which levels are missing
    joins: Membership | None = None  # the family and the options that it gives the product
    is_moot: bool = False  # there is nothing to be written any more
    before: str = ""  # of bulk work: the value, and the new one
    after: str = ""

    @property
    def is_refused(self) -> bool:
        return self.outcome == Outcome.REFUSED


@dataclass(frozen=True)
class Situation:
    """What decides in addition to the row and its product."""

    tree: Tree
    may: Collection[str]
    creates: bool  # whether the kind of the import creates products
    zeros: Collection[str] = ()  # SKUs that exist with zeros before them, and not without
    families: Families = field(default_factory=Families)


def refuse(wanted: Wanted, *reasons: str) -> Plan:
    return Plan(wanted, Outcome.REFUSED, " ".join(reasons)[:MESSAGE_MAX])


def plan(
    wanted: Wanted,
    product: Product | None,
    situation: Situation,
    *,
    seen_quantity: int | None = None,
    is_decided: bool = False,
) -> Plan:
    """The plan of a row; `product` is the one with its SKU.

    A quantity as a number is applied as its difference to `seen_quantity`, by default the present one. If the row
    `is_decided` it is not refused for what others have written: its quantity is kept in range, and of its family
    what has become impossible is left out.
    """
    if wanted.errors:
        return refuse(wanted, *wanted.errors)
    errors: list[str] = []
    notes: list[str] = []
    path = _missing_path(wanted, situation, errors)
    joins = _membership(wanted, product, situation, notes if is_decided else errors)
    if product is None:
        errors += _errors_of_new(wanted, situation)
    elif CHANGE_PRODUCT not in situation.may:
        errors.append("You may not change products.")
    if errors:
        return refuse(wanted, *errors)
    if product is None:
        found = _create(wanted, situation, path, joins)
    else:
        seen = product.quantity if seen_quantity is None else seen_quantity
        found = _change(wanted, product, situation, path, joins, seen, is_decided)
    found.message = " ".join([*filter(None, [found.message]), *notes])
    return found


def _missing_path(wanted: Wanted, situation: Situation, errors: list[str]) -> str:
    """The path of the first category that the row creates, or none. Adds to the errors if it must not."""
    try:
        path = situation.tree.missing(wanted.values.get("category", []))
    except Unreadable as error:
        errors.append(f"category: {error}")
        return ""
    if path and ADD_CATEGORY not in situation.may:
        errors.append(f"category: There is no category {path}, and you may not add categories.")
    return path


def _membership(wanted: Wanted, product: Product | None, situation: Situation, errors: list[str]) -> Membership | None:
    """What the row changes of the product's family and options. Adds to the errors if that is impossible."""
    try:
        return situation.families.membership(wanted, product)
    except Unreadable as error:
        errors.append(str(error))
        return None


def _errors_of_new(wanted: Wanted, situation: Situation) -> list[str]:
    if not situation.creates:
        return ["There is no product with this SKU."]
    if wanted.could_be_rounded:
        return ["The SKU is a number that a spreadsheet has rounded: format the column as text, and enter it again."]
    if wanted.sku in situation.zeros:
        return ["There is a product whose SKU has zeros before this number: format the column as text."]
    errors = [f"{name}: A new product needs one." for name in ("name", "quantity") if name not in wanted.values]
    if ADD_PRODUCT not in situation.may:
        errors.append("There is no product with this SKU, and you may not add products.")
    return errors


def _create(wanted: Wanted, situation: Situation, path: str, joins: Membership | None) -> Plan:
    fields = _fields(wanted)
    quantity: Quantity = fields.pop("quantity")
    names = fields.pop("category", [])
    for name, value in fields.items():
        fields[name] = value.strip() if isinstance(value, str) else value
    fields |= {"category_id": situation.tree.find(names), "quantity": quantity.pieces}
    return Plan(wanted, Outcome.CREATED, _category_note(path), fields, path=names if path else [], joins=joins)


def _fields(wanted: Wanted) -> dict[str, Any]:
    """The values of the product's own columns."""
    return {name: value for name, value in wanted.values.items() if name != FAMILY and not name.startswith(OPTION)}


def _change(
    wanted: Wanted,
    product: Product,
    situation: Situation,
    path: str,
    joins: Membership | None,
    seen_quantity: int,
    is_decided: bool,
) -> Plan:
    fields, delta = _fields(wanted), 0
    if (quantity := fields.pop("quantity", None)) is not None:
        delta = quantity.pieces if quantity.is_added else quantity.pieces - seen_quantity
    if is_decided:
        delta = min(max(product.quantity + delta, 0), QUANTITY_MAX) - product.quantity
    if error := stock.out_of_range(product.quantity + delta):
        return refuse(wanted, f"quantity: {product.quantity} are in stock now. {error.detail}")
    names = fields.pop("category", None)
    changes = {name: new for name, value in fields.items() if (new := _new(value, getattr(product, name))) is not None}
    if names is not None and (path or situation.tree.find(names) != product.category_id):
        changes["category_id"] = situation.tree.find(names)
    if not changes and not delta and joins is None:
        return Plan(wanted, Outcome.UNCHANGED)
    return Plan(wanted, Outcome.CHANGED, _category_note(path), changes, delta, names or [] if path else [], joins)


def settle_families(parent_id: int, plans: list[Plan], *, is_decided: bool = False) -> None:
    """Refuse, in place, the rows whose product cannot join its family. A row that is decided leaves it as it is."""
    joining = [(number, plan.joins) for number, plan in enumerate(plans) if plan.joins and not plan.is_refused]
    found = families.impossible(parent_id, [(plans[number].wanted.sku, joins) for number, joins in joining])
    for position, reason in found.items():
        number, _ = joining[position]
        message = f"{FAMILY}: {reason}"
        if is_decided:
            plans[number].joins, plans[number].message = None, message
        else:
            plans[number] = refuse(plans[number].wanted, message)


def _new(value: Any, current: Any) -> Any:
    """The value if it differs from the current one, else None. Outer spaces of a new text are dropped."""
    if value == current:
        return None
    if isinstance(value, str):
        value = value.strip()
    return None if value == current else value


def _category_note(path: str) -> str:
    return f"Creates the category {path}." if path else ""


def stripped_of_zeros(wanted: Collection[Wanted]) -> set[str]:
    """The SKUs that are a number which products have with zeros before it."""
    numbers = {each.sku for each in wanted if NUMBER.fullmatch(each.sku)}
    padded = {"0" * zeros + number: number for number in numbers for zeros in range(1, ZEROS_MAX + 1)}
    found = Product.objects.filter(sku__in=padded).order_by().values_list("sku", flat=True) if padded else []
    return {padded[sku] for sku in found}

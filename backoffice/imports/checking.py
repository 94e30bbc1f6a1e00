"""The check of a slice: what the run would do with each of its rows. It changes nothing."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from backoffice.bulk.operations import Planner, operation_of
from backoffice.imports import columns, planning
from backoffice.imports.columns import Wanted
from backoffice.imports.families import Families, Membership
from backoffice.imports.models import Import, ImportRow, ImportSlice
from backoffice.imports.planning import Plan, Situation
from backoffice.imports.tree import Tree
from productbackend.database.statements import Insert
from products import catalogue
from products.models import Product
from products.reads.seen import Seen, last_movement

ROWS_INSERTED = 500  # by one statement
INSERT = Insert(ImportRow)
LINE = ("number", "sku", "outcome", "message", "name", "before", "after", "family_id", "options_key")
NOTHING = Membership(None, {}, None)
TWICE = "The SKU stands in a row above too."


def wanted(row: Import, part: ImportSlice) -> list[Wanted]:
    return [columns.parse(each, row.columns, has_decimal_commas=row.has_decimal_commas) for each in part.rows]


def situation(
    row: Import, rows: Sequence[Wanted], products: Mapping[str, Product], *, locked: bool = False
) -> Situation:
    """What decides for the rows of a slice, with their products by SKU; families `locked` if they will be written."""
    creates = row.kind == Import.Kind.PRODUCTS
    unknown = [each for each in rows if each.sku not in products]
    zeros = planning.stripped_of_zeros(unknown) if creates else ()
    families = Families.of(rows, products.values(), locked=locked)
    return Situation(Tree(), frozenset(row.may), creates, zeros, families)


def planner(row: Import, products: Collection[Product]) -> Callable[..., Plan]:
    """The function that plans a row whose product is among `products`: by its cells, or by the operation."""
    return Planner(operation_of(row), products).plan if row.is_bulk else planning.plan


def check(row: Import, part: ImportSlice) -> None:
    """Decide each row and write it down, with what it saw. The caller has locked the import, and saves its counts.

    The products are locked for the moment: so every later stock movement has a higher id than the last one now.
    """
    rows = wanted(row, part)
    _refuse_repeated(row, rows)
    products = catalogue.lock_by_sku(each.sku for each in rows if not each.errors)
    part.movement = last_movement()
    part.seen = {sku: Seen.of(product) for sku, product in products.items()}
    part.save(update_fields=["movement", "seen"])
    around = situation(row, rows, products)
    plan = planner(row, products.values())
    plans = [plan(each, products.get(each.sku), around) for each in rows]
    planning.settle_families(row.pk, plans)
    names = {sku: product.name for sku, product in products.items()} if row.is_bulk else {}
    lines = [_line(each, names.get(each.wanted.sku, "")) for each in plans]
    for start in range(0, len(lines), ROWS_INSERTED):
        INSERT.rows(LINE, lines[start : start + ROWS_INSERTED], parent=row)
    count(row, plans)


def _line(plan: Plan, name: str) -> tuple[Any, ...]:
    """The values of the columns LINE."""
    each, joins = plan.wanted, plan.joins or NOTHING
    decided = (plan.outcome, plan.message, name, plan.before, plan.after)
    return (each.number, each.sku, *decided, joins.family_id, joins.key)


def count(row: Import, plans: Sequence[Plan], sign: int = 1) -> None:
    for plan in plans:
        setattr(row, plan.outcome, getattr(row, plan.outcome) + sign)


def finish(row: Import) -> None:
    row.status, row.position = Import.Status.CHECKED, 0
    if row.refused and row.mode == Import.Mode.ALL_OR_NOTHING:
        row.message = f"Rows that are refused: {row.refused:,}. Correct the file, or import it row by row."


def _refuse_repeated(row: Import, rows: list[Wanted]) -> None:
    skus = {each.sku for each in rows if each.sku}
    seen: set[Any] = set(ImportRow.objects.filter(parent=row, sku__in=skus).order_by().values_list("sku", flat=True))
    for each in rows:
        if each.sku in seen:
            each.errors.append(TWICE)
        if each.sku:
            seen.add(each.sku)


def read_seen(part: ImportSlice) -> dict[str, Seen]:
    return {sku: Seen(*values) for sku, values in (part.seen or {}).items()}

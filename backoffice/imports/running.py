"""The run of a slice: its rows are decided again, for the products as they are now, and written by a few statements.

A product that staff have written since the check refuses its row. An import of all or nothing first verifies every row
and writes none; if one is refused it ends there. From then on it is decided: see ADR 18.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import IntegrityError

from backoffice.bulk.operations import operation_of
from backoffice.imports import checking, families, planning
from backoffice.imports.columns import Wanted
from backoffice.imports.models import Import, ImportRow, ImportSlice
from backoffice.imports.planning import Plan
from backoffice.imports.tree import Tree
from productbackend.errors import DomainError
from productbackend.observability.origin import acting
from products import catalogue
from products.models import Product
from products.reads.seen import written_since

Outcome = ImportRow.Outcome
RECORDED = ("outcome", "message", "before", "after")  # of a row, by the check, and by the run if it differs
Lines = dict[int, Any]
DELETED = "The product was deleted after the check, or has another SKU."
CREATED = "A product with this SKU was created after the check."
WRITTEN = "The product was changed after the check, other than by a sale: check the file again."
WRITTEN_SINCE_PREVIEW = "It was changed after the preview, other than by a sale: select it again to see its new values."
OVERWRITTEN = "The product was also changed while the import was running; the values of the file were written."
GONE = "The product was deleted while the import was running."
BACKED_OUT = "Nothing was changed. Rows that are refused, as others wrote their products after the check: {refused:,}."


def run(row: Import, part: ImportSlice) -> None:
    """Write a slice, or verify it. The caller has locked the slice, and adds the counts of `row` to the import."""
    is_whole = row.mode == Import.Mode.ALL_OR_NOTHING
    lines = _lines(row, part)
    rows = [each for each in checking.wanted(row, part) if lines[each.number].outcome != Outcome.REFUSED]
    products = catalogue.lock_by_sku(each.sku for each in rows)
    tree, plans = _plans(row, part, rows, products)
    if is_whole and not row.is_verified:
        _record(row, lines, [plan for plan in plans if plan.is_refused])
        if row.refused or row.slices > 1:
            return
        row.is_verified = True  # one slice: it is written under the locks with which it was verified
    way, source = row.origin
    with acting(way, user_id=row.user_id, source=source):
        _write(row, tree, plans, products)
    _record(row, lines, plans)


def _lines(row: Import, part: ImportSlice) -> Lines:
    """What the check wrote down of the rows of a slice, by number."""
    lines = row.lines.filter(number__range=(part.rows[0][0], part.rows[-1][0])).order_by()
    return {line.number: line for line in lines.values_list("pk", "number", *RECORDED, named=True)}


def finish(row: Import) -> None:
    """End a pass."""
    if row.mode == Import.Mode.ALL_OR_NOTHING and not row.is_verified:
        if row.refused:
            row.status, row.message = Import.Status.FAILED, BACKED_OUT.format(refused=row.refused)
        else:
            row.is_verified, row.position = True, 0
        return
    row.status = Import.Status.DONE
    row.message = ""


def left_behind(row: Import) -> str:
    """What a run that is given up has changed, as a sentence."""
    writes = row.status == Import.Status.RUNNING and (row.mode == Import.Mode.ROW_BY_ROW or row.is_verified)
    if writes and (row.position or row.parts.filter(passes=row.pass_number).exists()):
        return " The slices that were done are written."
    return " Nothing was changed."


def _plans(
    row: Import, part: ImportSlice, rows: Sequence[Wanted], products: dict[str, Product]
) -> tuple[Tree, list[Plan]]:
    seen, is_decided = checking.read_seen(part), row.is_verified
    plan_of = checking.planner(row, products.values())
    written = written_since(seen, products, part.movement)
    around = checking.situation(row, rows, products, locked=True)
    plans = []
    for each in rows:
        product, before = products.get(each.sku), seen.get(each.sku)
        if product is None and before is not None:
            outcome = Outcome.CHANGED if is_decided else Outcome.REFUSED
            plans.append(Plan(each, outcome, GONE if is_decided else DELETED, is_moot=True))
            continue
        is_written = each.sku in written or (product is None) != (before is None)
        if is_written and not is_decided:
            written_by_others = WRITTEN_SINCE_PREVIEW if row.is_bulk else WRITTEN
            plans.append(planning.refuse(each, written_by_others if before else CREATED))
            continue
        quantity = before.quantity if before else None
        plan = plan_of(each, product, around, seen_quantity=quantity, is_decided=is_decided)
        plan.message = plan.message or (OVERWRITTEN if is_written else "")
        plans.append(plan)
    planning.settle_families(row.pk, plans, is_decided=is_decided)
    return around.tree, plans


def _write(row: Import, tree: Tree, plans: Sequence[Plan], products: dict[str, Product]) -> None:
    new, changed, fields, deltas = [], [], set(), {}
    _join(plans, products)
    for plan in plans:
        if plan.is_refused or plan.is_moot or not _create_category(tree, plan):
            continue
        if plan.outcome == Outcome.CREATED:
            new.append(Product(sku=plan.wanted.sku, **plan.fields))
            continue
        product = products[plan.wanted.sku]
        for name, value in plan.fields.items():
            setattr(product, name, value)
        if plan.fields or plan.delta:
            changed.append(product)
            fields |= {name.removesuffix("_id") for name in plan.fields}
            deltas[product.pk] = plan.delta
    if changed:
        movement = operation_of(row).movement if row.is_bulk else {}
        catalogue.save_many(changed, fields, deltas=deltas, user_id=row.user_id, **movement)
    if new:
        _create(new)
        _join(plans, {product.sku: product for product in new})


def _join(plans: Sequence[Plan], products: Mapping[str, Product]) -> None:
    """Write the families and options of these products."""
    for plan in plans:
        product = products.get(plan.wanted.sku)
        if plan.joins and product and not plan.is_refused and not plan.is_moot:
            families.join(product, plan.joins)


def _create_category(tree: Tree, plan: Plan) -> bool:
    """Create the category of a row if it is missing. If that is impossible by now, the row is refused."""
    if not plan.path:
        return True
    try:
        tree.create(plan.path)
    except DomainError as error:
        plan.outcome, plan.message = Outcome.REFUSED, f"category: {error.detail}"
        return False
    plan.fields["category_id"] = tree.find(plan.path)
    return True


def _create(products: list[Product]) -> None:
    try:
        catalogue.create_many(products)
    except IntegrityError:  # a concurrent request took a slug: derive another. An SKU: the worker tries the slice again
        catalogue.create_many(products)


def _record(row: Import, lines: Lines, plans: Sequence[Plan]) -> None:
    """Write down the rows of which the check said something else."""
    differing = []
    for plan in plans:
        line = lines[plan.wanted.number]
        before = plan.before or line.before
        after = "" if plan.is_refused else plan.after or line.after
        says = (plan.outcome, plan.message, before, after)
        if says == tuple(getattr(line, name) for name in RECORDED):
            continue
        checking.count(row, [plan])
        setattr(row, line.outcome, getattr(row, line.outcome) - 1)
        differing.append(ImportRow(pk=line.pk, **dict(zip(RECORDED, says, strict=True))))
    if differing:
        ImportRow.objects.bulk_update(differing, RECORDED)

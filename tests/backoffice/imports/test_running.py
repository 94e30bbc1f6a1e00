"""What an import writes, and what happens if others write meanwhile."""

from decimal import Decimal
from typing import Any

import pytest

from backoffice.history.models import Change
from backoffice.imports import progress, starting, uploading
from backoffice.imports.models import Import, ImportRow
from products import catalogue
from products.inventory import ledger, stock
from products.models import Category, FormerSlug, Product, StockMovement, Suggestion
from tests import factories
from tests.backoffice.imports.files import check, counts, lines, run, upload

pytestmark = pytest.mark.django_db
ROW_BY_ROW = {"mode": "row_by_row"}


def is_ledger_right() -> bool:
    return all(balance.is_correct for balance in ledger.balances())


def test_an_import_does_what_its_check_says() -> None:
    home = factories.category("Home")
    lamp = factories.product("Lamp", sku="L-1", category=home, quantity=10, price=Decimal("5"), brand="Old")
    same = factories.product("Same", sku="S-1", quantity=3, price=Decimal("7.50"))
    content = (
        "sku;name;brand;category;price;quantity;is_active;description\r\n"
        "L-1;Table lamp;-;Home > Lamps;12,50;7;false;\r\n"
        'N-1;"New; one";Northway;Home > Lamps > Small;3;+4;;"Two\nlines"\r\n'
        "S-1;Same;;;7,5;3;true;\r\n"
    )
    checked = check(content)
    assert (checked.status, counts(checked), checked.progress) == ("checked", (1, 1, 1, 0), 1.0)
    assert lines(checked) == [
        (2, "L-1", "changed", "Creates the category Home > Lamps."),
        (3, "N-1", "created", "Creates the category Home > Lamps."),
        (4, "S-1", "unchanged", ""),
    ]
    assert Product.objects.count() == 2
    assert Category.objects.count() == 1
    unchanged_at = Product.objects.get(pk=same.pk).updated_at
    done = run(checked)
    assert (done.status, counts(done), done.progress, done.message) == ("done", (1, 1, 1, 0), 1.0, "")
    changed, new = Product.objects.get(pk=lamp.pk), Product.objects.get(sku="N-1")
    assert (changed.name, changed.brand, changed.price, changed.quantity, changed.is_active) == (
        "Table lamp", "", Decimal("12.50"), 7, False,
    )  # fmt: skip
    assert changed.category is not None
    assert changed.category.lineage == f"/{home.pk}/{changed.category_id}/"
    assert (changed.name_key, changed.slug, changed.created_at) == ("table lamp", "lamp", lamp.created_at)
    assert "qqtabl" in changed.search_text
    assert (new.name, new.slug, new.quantity, new.description) == ("New; one", "new-one", 4, "Two\nlines")
    assert new.category is not None
    assert new.category.name == "Small"
    assert Suggestion.objects.filter(source=str(new.pk), key__startswith="new").exists()
    assert list(changed.movements.order_by("pk").values_list("delta", "reason")) == [
        (10, "initial"),
        (-3, "correction"),
    ]
    assert is_ledger_right()
    assert Product.objects.get(pk=same.pk).updated_at == unchanged_at


def test_the_history_names_the_import_and_what_it_changed() -> None:
    keeper = factories.user()
    lamp = factories.product("Lamp", sku="L-1", price=Decimal("5"), quantity=1)
    Change.objects.all().delete()
    content = "sku,name,price,quantity,category\nL-1,Lamp,6.5,2,\nN-1,New,3,1,Home\n"
    done = run(check(content, user_id=keeper.pk), user_id=keeper.pk)
    rows = Change.objects.order_by("kind", "object_id")
    assert {(row.way, row.user_id, row.source) for row in rows} == {("import", keeper.pk, f"import {done.pk}")}
    category, changed, created = rows
    assert (category.kind, category.action, category.object_name) == ("products.category", "created", "Home")
    assert (changed.object_id, changed.action, changed.fields) == (lamp.pk, "changed", {"price": ["5.00", "6.50"]})
    assert (created.object_name, created.action, created.fields["price"]) == ("New", "created", [None, "3.00"])


def test_an_import_that_was_run_does_nothing_again() -> None:
    factories.product(sku="A", quantity=1)
    done = run(check("sku,quantity\nA,+5\n", kind="stock"))
    again, is_new = starting.start(import_id=done.pk, user_id=None, may=[])
    progress.work(done.pk)
    assert (again.status, is_new, Product.objects.get().quantity, StockMovement.objects.count()) == (
        "done",
        False,
        6,
        2,
    )


def test_a_new_slug_is_no_former_slug_and_none_is_used_twice() -> None:
    factories.product("Lamp")
    other = factories.product("Other", slug="torch")
    other.slug = "other"
    other.save()
    run(check("sku,name,quantity\nA,Lamp,1\nB,Lamp,1\nC,Torch,1\n"))
    slugs = list(Product.objects.filter(sku__in="ABC").order_by("sku").values_list("slug", flat=True))
    assert slugs[2] == "torch"
    assert len({*slugs, "lamp"}) == 4
    assert not FormerSlug.objects.exists()


def test_sales_since_the_check_are_kept() -> None:
    product = factories.product(sku="A", quantity=10)
    checked = check("sku,quantity\nA,8\n", kind="stock")
    request = stock.StockRequest(product.pk, "A", 5)
    stock.sell(wanted=[request], order_number="X", user=None)
    done = run(checked)
    assert (done.status, Product.objects.get().quantity) == ("done", 3)
    assert is_ledger_right()


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda pk: Product.objects.filter(pk=pk).delete(), "was deleted after"),
        (lambda pk: stock.adjust(product_id=pk, delta=1, user=None), "was changed after"),
        (
            lambda pk: catalogue.change(product_id=pk, user=None, precondition=lambda _: None, rating=2.0),
            "was changed after",
        ),
        (lambda pk: stock.sell(wanted=[stock.StockRequest(pk, "A", 9)], order_number="X", user=None), "would be -1"),
        (lambda pk: factories.product("New", sku="N"), "was created after"),
    ],
)
@pytest.mark.parametrize("mode", ["row_by_row", "all_or_nothing"])
@pytest.mark.parametrize("slice_rows", [500, 1])
def test_what_staff_write_after_the_check_refuses_the_row(
    monkeypatch: pytest.MonkeyPatch, write: object, message: str, mode: str, slice_rows: int
) -> None:
    monkeypatch.setattr(uploading, "SLICE_ROWS", slice_rows)
    factories.product("First", sku="F", quantity=1)
    product = factories.product("Second", sku="A", quantity=10)
    content = "sku,name,quantity\nF,Changed,2\nA,Changed,8\nN,New,1\n"
    if "created" not in message:
        content = content.replace("N,New,1\n", "")
    checked = check(content, mode=mode)
    assert checked.refused == 0
    write(product.pk)  # type: ignore[operator]
    done = run(checked)
    [refused] = lines(done, "refused")
    assert message in refused[3]
    first = Product.objects.get(sku="F")
    if mode == "row_by_row":
        assert (done.status, done.refused, first.name, first.quantity) == ("done", 1, "Changed", 2)
    else:
        assert (done.status, done.refused, first.name, first.quantity) == ("failed", 1, "First", 1)
        assert "Nothing was changed" in done.message
    assert is_ledger_right()


def test_an_import_that_was_verified_is_written_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploading, "SLICE_ROWS", 1)
    skus = ["A", "B", "C", "D"]
    products = [factories.product(sku, sku=sku, quantity=10) for sku in skus]
    checked = check("sku,name,quantity\n" + "".join(f"{sku},New {sku},8\n" for sku in skus))
    starting.start(import_id=checked.pk, user_id=None, may=checked.may)
    claimed = progress.claim(checked.pk)
    assert claimed is not None
    for _ in range(len(skus) + 1):  # all are verified, and the first one is written
        assert progress.step(claimed)
    half = Import.objects.get()
    assert (half.is_verified, half.progress) == (True, 0.625)
    catalogue.change(product_id=products[1].pk, user=None, precondition=lambda _: None, name="By hand", brand="By hand")
    stock.sell(wanted=[stock.StockRequest(products[2].pk, "C", 9)], order_number="X", user=None)
    Product.objects.filter(sku="D").delete()
    claimed.release()
    progress.work(checked.pk)
    done = Import.objects.get()
    assert (done.status, counts(done)) == ("done", (0, 4, 0, 0))
    assert list(Product.objects.order_by("pk").values_list("name", "brand", "quantity")) == [
        ("New A", "", 8), ("New B", "By hand", 8), ("New C", "", 0),
    ]  # fmt: skip
    assert [message[:29] for _, _, _, message in lines(done)] == [
        "", "The product was also changed ", "", "The product was deleted while",
    ]  # fmt: skip
    assert is_ledger_right()


def test_permissions_of_the_check_and_of_the_run() -> None:
    factories.product("Lamp", sku="A")
    content = "sku,name,quantity,category\nA,Lamp 2,,\nA2,New,1,\nA,,,Garden\n"
    content = content.replace("\nA,,,Garden", "\nA3,New,1,Garden")
    change, add = "products.change_product", "products.add_product"
    by_changer = check(content, may=[change], **ROW_BY_ROW)
    assert [outcome for _, _, outcome, _ in lines(by_changer)] == ["changed", "refused", "refused"]
    by_adder = check(content, may=[change, add], **ROW_BY_ROW)
    assert lines(by_adder, "refused")[0][3] == (
        "category: There is no category Garden, and you may not add categories."
    )
    done = run(by_adder, may=[change])
    assert [outcome for _, _, outcome, _ in lines(done)] == ["changed", "refused", "refused"]
    assert (Product.objects.count(), Category.objects.count()) == (1, 0)


def test_two_imports_of_the_same_product() -> None:
    factories.product("Lamp", sku="A")
    first, second = check("sku,name\nA,One\n"), check("sku,name\nA,Two\n")
    assert run(first).status == "done"
    assert run(second).status == "failed"
    assert Product.objects.get().name == "One"
    assert not ImportRow.objects.filter(parent=first, outcome="refused").exists()
    assert upload("sku\nB\n").status == "checking"


def test_cached_pages_show_what_was_imported(api: Any, django_capture_on_commit_callbacks: Any) -> None:
    product = factories.product("Lamp", sku="A", price=Decimal("5"), quantity=3)
    for content, kind, price, quantity in (
        ("sku,price,quantity\nA,6,4\n", "products", "6.00", 4),
        ("sku,quantity\nA,5\n", "stock", "6.00", 5),
    ):
        api.get(f"/products/{product.pk}/")
        with django_capture_on_commit_callbacks(execute=True):
            assert run(check(content, kind=kind)).status == "done"
        shown = api.get(f"/products/{product.pk}/").json()
        assert (shown["price"], shown["quantity"]) == (price, quantity)

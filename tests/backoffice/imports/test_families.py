"""Families and options in files."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from backoffice.exports import kinds, reading, writing
from backoffice.imports import families as imported
from backoffice.imports import progress, starting, uploading
from backoffice.imports.models import Import
from productbackend.errors import DomainError, InvalidValue
from products.families import variants
from products.families import writing as families
from products.models import Family, Option, Product
from tests import factories
from tests.backoffice.imports.files import check, counts, lines, run

pytestmark = pytest.mark.django_db


@pytest.fixture
def shirt() -> Family:
    """A family in S and M, both red."""
    family = families.create(name="Shirt", axes=["Size", "Colour"])
    options = {"Size": ["S", "M"], "Colour": ["Red"]}
    variants.make_missing(family_id=family.pk, options=options, price=Decimal("10.00"), quantity=3)
    return family


def options_of(sku: str) -> dict[str, str]:
    return Product.objects.get(sku=sku).options


def refusal(text: str) -> str:
    """The message of the one row, which is refused."""
    [(_, _, outcome, message)] = lines(check(text))
    assert outcome == "refused"
    return message


def join(product: Product, family: Family, size: str) -> None:
    product.family, product.options = family, {"Size": size}
    product.save(update_fields={"family", "options"})


def exported(format: str) -> bytes:
    kind = kinds.with_options(kinds.PRODUCTS)
    batches = reading.batches(kind, Product.objects.all())
    if format == "csv":
        return b"".join(writing.csv_chunks(kind, batches))
    return b"".join(writing.xlsx_chunks(kind, batches, rows_max=100, characters_max=10_000))


@pytest.mark.parametrize("format", ["csv", "xlsx"])
def test_what_is_exported_and_imported_again_changes_nothing(shirt: Family, format: str) -> None:
    odd = families.create(name="Odd", axes=["size", "Größe: no"[:5]])
    for number, value in enumerate(["=1+1", "-", "'x", "+5", "a: b & c, d", "靴"]):
        product = factories.product(f"Odd {number}", sku=f"O{number}")
        product.family, product.options = odd, {"size": value}
        product.save(update_fields={"family", "options"})
    factories.product(sku="LONE")
    content = exported(format)
    if format == "csv":
        header = content.decode("utf-8-sig").splitlines()[0]
        assert header.endswith("tax_class,family,option:Size,option:Colour,option:Größe")
    row = check(content)
    assert [line for line in lines(row) if line[2] != "unchanged"] == []
    assert counts(row) == (0, 0, 9, 0)


def test_a_shop_without_families_exports_no_column_of_options() -> None:
    factories.product(sku="LONE")
    assert kinds.with_options(kinds.PRODUCTS).columns == kinds.PRODUCTS.columns
    assert kinds.with_options(kinds.STOCK) is kinds.STOCK


def test_products_join_move_and_leave(shirt: Family) -> None:
    hat = families.create(name="Hat", axes=["size"])
    factories.product(sku="A", name="Kept", quantity=7)
    row = run(check("sku,family,Option: SIZE,price\nA,SHIRT,L,5.00\nSHIRT-M-RED,hat,,\n", mode="row_by_row"))
    assert (row.status, counts(row)) == ("done", (0, 1, 0, 1))  # the hat has no colour
    joined = Product.objects.get(sku="A")
    assert (joined.family, joined.options, joined.quantity, joined.price) == (shirt, {"Size": "L"}, 7, Decimal(5))
    assert joined.family_position == 2
    assert Option.objects.filter(product=joined).count() == 1

    row = run(check("sku,family,option:size,option:colour\nSHIRT-M-RED,hat,,-\n"))
    assert (row.status, counts(row)) == ("done", (0, 1, 0, 0))
    moved = Product.objects.get(sku="SHIRT-M-RED")
    assert (moved.family, moved.options, moved.is_lead) == (hat, {"size": "M"}, True)

    run(check("sku,family\nSHIRT-S-RED,-\n"))
    left = Product.objects.get(sku="SHIRT-S-RED")
    assert (left.family, left.options, left.options_key) == (None, {}, None)
    assert Product.objects.get(sku="A").is_lead


def test_a_slug_is_found_as_it_is_and_in_any_case(shirt: Family) -> None:
    families.create(name="Other", slug="Hemd", axes=["Size"])
    for sku in "AB":
        factories.product(sku=sku)
    assert counts(check("sku,family,option:size\nA,Hemd,L\nB,Shirt,L\n")) == (0, 2, 0, 0)
    assert "no family with the slug hemd" in refusal("sku,family\nA,hemd\n")


def test_options_are_changed_and_cleared(shirt: Family) -> None:
    row = run(check("sku,option:size,option:colour,name\nSHIRT-S-RED,XS,-,New name\nSHIRT-M-RED,,Blue,\n"))
    assert (row.status, counts(row)) == ("done", (0, 2, 0, 0))
    assert options_of("SHIRT-S-RED") == {"Size": "XS"}
    assert options_of("SHIRT-M-RED") == {"Size": "M", "Colour": "Blue"}
    assert Product.objects.get(sku="SHIRT-S-RED").name == "New name"
    assert counts(check("sku,option:size\nSHIRT-S-RED,XS\n")) == (0, 0, 1, 0)


def test_a_new_product_is_of_a_family(shirt: Family) -> None:
    row = run(check("sku,name,quantity,family,option:size\nNEW,Shirt L,4,shirt,L\n"))
    assert (row.status, counts(row)) == ("done", (1, 0, 0, 0))
    new = Product.objects.get(sku="NEW")
    assert (new.family, new.options, new.family_position, new.is_lead) == (shirt, {"Size": "L"}, 2, False)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sku,family\nLONE,sock\n", "family: There is no family with the slug sock."),
        ("sku,option:size\nLONE,S\n", "option: A product of no family has no options."),
        ("sku,family,option:weight\nLONE,shirt,5\n", "has no axis weight"),
        ("sku,family,option:size,option:colour\nLONE,shirt, m ,RED\n", "Another product of the family"),
        ("sku,option:size\nSHIRT-S-RED,m\n", "Another product of the family"),
        (f"sku,option:size\nSHIRT-S-RED,{'x' * 101}\n", "option:size: It has 100 characters at most."),
    ],
)
def test_what_cannot_be_refuses_the_row(shirt: Family, text: str, message: str) -> None:
    factories.product(sku="LONE")
    assert message in refusal(text)


def test_of_two_rows_with_the_same_options_the_second_is_refused(shirt: Family) -> None:
    for sku in "AB":
        factories.product(sku=sku)
    row = check("sku,family,option:size\nA,shirt,L\nB,shirt,l\n")
    assert [line[2] for line in lines(row)] == ["changed", "refused"]


def test_options_that_another_product_got_after_the_check_are_refused_by_name(shirt: Family) -> None:
    factories.product(sku="A")
    row = check("sku,family,option:size\nA,shirt,L\n", mode="row_by_row")
    join(factories.product(sku="B"), shirt, "L")
    row = run(row)
    assert (row.status, counts(row)) == ("done", (0, 0, 0, 1))
    assert "Another product of the family" in lines(row)[0][3]


def test_rows_of_different_slices_may_not_have_the_same_options(shirt: Family, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploading, "SLICE_ROWS", 1)
    factories.product(sku="A")
    row = check("sku,name,quantity,family,option:size\nA,,,shirt,L\nB,New,1,shirt,XL\nC,New,1,shirt,l\n")
    assert row.slices == 3
    assert [(sku, outcome) for _, sku, outcome, _ in lines(row)] == [
        ("A", "changed"), ("B", "created"), ("C", "refused"),
    ]  # fmt: skip
    assert lines(row)[2][3] == "family: Another product of the family has these options."
    with pytest.raises(DomainError) as refused:
        run(row)
    assert refused.value.code == "import-refused"
    assert Product.objects.get(sku="A").family is None


def test_rows_that_fill_a_family_in_different_slices(shirt: Family, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploading, "SLICE_ROWS", 1)
    monkeypatch.setattr(imported, "VARIANTS_MAX", 4)
    for sku in "ABC":
        factories.product(sku=sku)
    row = check("sku,family,option:size\nSHIRT-S-RED,shirt,XS\nA,shirt,L\nB,shirt,XL\nC,shirt,XXL\n")
    assert [outcome for _, _, outcome, _ in lines(row)] == ["changed", "changed", "changed", "refused"]
    assert "and may have no more" in lines(row)[3][3]


@pytest.mark.parametrize("slice_rows", [500, 1])
def test_all_or_nothing_changes_nothing_if_staff_took_the_options_of_one_row(
    shirt: Family, monkeypatch: pytest.MonkeyPatch, slice_rows: int
) -> None:
    monkeypatch.setattr(uploading, "SLICE_ROWS", slice_rows)
    factories.product(sku="A", name="As before")
    row = check("sku,name,quantity,family,option:size\nA,Other,,,\nB,New,1,shirt,L\n")
    join(factories.product(sku="C"), shirt, "L")
    row = run(row)
    assert (row.status, row.refused) == ("failed", 1)
    assert "Nothing was changed" in row.message
    assert Product.objects.get(sku="A").name == "As before"
    assert not Product.objects.filter(sku="B").exists()


def taken(shirt: Family) -> None:
    join(factories.product(sku="C"), shirt, "L")


def deleted(shirt: Family) -> None:
    families.delete(family_id=shirt.pk, precondition=lambda row: None)


@pytest.mark.parametrize("meanwhile", [taken, deleted])
def test_a_row_that_is_decided_is_written_without_options_that_have_become_impossible(
    shirt: Family, monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[Family], None]
) -> None:
    monkeypatch.setattr(uploading, "SLICE_ROWS", 1)
    factories.product(sku="A")
    row = check("sku,name,quantity,family,option:size\nA,New A,,,\nB,New B,1,shirt,L\n")
    starting.start(import_id=row.pk, user_id=None, may=row.may)
    claimed = progress.claim(row.pk)
    assert claimed is not None
    for _ in range(3):  # both rows are verified, and the first one is written
        assert progress.step(claimed)
    meanwhile(shirt)
    claimed.release()
    progress.work(row.pk)
    row = Import.objects.get()
    assert (row.status, counts(row)) == ("done", (1, 1, 0, 0))
    new = Product.objects.get(sku="B")
    assert (new.name, new.family, new.options) == ("New B", None, {})
    assert lines(row)[1][3].startswith("family: ")


def test_a_product_whose_options_staff_changed_after_the_check_is_refused(shirt: Family) -> None:
    row = check("sku,price\nSHIRT-S-RED,9.00\n", mode="row_by_row")
    product = Product.objects.get(sku="SHIRT-S-RED")
    product.options = {"Size": "XXS"}
    product.save(update_fields={"options"})
    row = run(row)
    assert counts(row) == (0, 0, 0, 1)


def test_columns_of_options_have_an_axis_and_stand_once() -> None:
    for header, code in (
        ("sku,option:", "unknown_column"),
        ("sku,option:Size,option: size", "repeated_column"),
        ("sku,options", "unknown_column"),
    ):
        with pytest.raises(InvalidValue) as raised:
            check(f"{header}\nA,1,2\n")
        assert raised.value.extra["errors"][0]["code"] == code
    with pytest.raises(InvalidValue):
        check("sku,option:size\nA,S\n", kind=Import.Kind.STOCK)

"""manage.py import_products."""

import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from backoffice.imports import progress, running, uploading
from backoffice.imports.models import Import
from products.models import Product
from tests import factories
from tests.backoffice.imports.files import xlsx

pytestmark = pytest.mark.django_db


def run(path: Path, *options: str) -> str:
    output = io.StringIO()
    call_command("import_products", str(path), *options, stdout=output)
    return output.getvalue()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    factories.product("Lamp", sku="A", quantity=1)
    return tmp_path / "products.csv"


def test_a_file_is_checked_and_imported(path: Path) -> None:
    path.write_text("sku;name;quantity\nA;Table lamp;+1\nN;New;5\n")
    assert run(path, "--check") == (
        f"Import {Import.objects.get().pk} is checked: 2 rows, of these 1 created, 1 changed, 0 unchanged, 0 refused.\n"
    )
    assert Product.objects.get().name == "Lamp"
    assert "is done: 2 rows" in run(path)
    assert list(Product.objects.order_by("pk").values_list("name", "quantity")) == [("Table lamp", 2), ("New", 5)]


def test_refused_rows_are_named(path: Path) -> None:
    path.write_bytes(xlsx([["sku", "quantity"], ["A", 3], *([f"X{number}", 1] for number in range(21))]))
    with pytest.raises(CommandError, match="are refused: 21"):
        run(path, "--kind", "stock")
    assert Product.objects.get().quantity == 1
    said = run(path, "--kind", "stock", "--row-by-row")
    assert "Row 3, X0: There is no product with this SKU." in said
    assert said.endswith("Further rows that are refused: 1.\n")
    assert Product.objects.get().quantity == 3


def test_files_that_cannot_be_read(path: Path, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No such file"):
        run(path)
    with pytest.raises(CommandError, match="directory"):
        run(tmp_path)
    path.write_text("name\nx\n")
    with pytest.raises(CommandError, match="no column sku"):
        run(path)
    assert not Import.objects.exists()


def test_workers_go_on_with_what_was_interrupted(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploading, "SLICE_ROWS", 1)
    path.write_text("sku,quantity\nA,+1\nB,1\n")
    factories.product("Bench", sku="B", quantity=5)
    whole = running.run

    def interrupted(row: Import, part: object) -> None:
        if row.position == 1 and row.is_verified:
            raise KeyboardInterrupt
        whole(row, part)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(running, "run", interrupted)
        with pytest.raises(CommandError, match="Workers go on") as caught:
            run(path, "--kind", "stock")
    assert caught.value.returncode == 130
    assert list(Product.objects.order_by("pk").values_list("quantity", flat=True)) == [2, 5]
    progress.work(Import.objects.get().pk)
    assert list(Product.objects.order_by("pk").values_list("quantity", flat=True)) == [2, 1]
    assert Import.objects.get().status == "done"

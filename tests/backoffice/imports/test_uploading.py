"""What is stored of a file."""

from typing import Any

import pytest

from backoffice.imports import tables, uploading
from backoffice.imports.models import Import, ImportSlice
from productbackend.errors import DomainError
from tests.backoffice.imports.files import upload

pytestmark = pytest.mark.django_db


def test_slices_are_limited_by_rows_and_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploading, "SLICE_ROWS", 2)
    monkeypatch.setattr(uploading, "SLICE_CHARACTERS", 50)
    row = upload(f"sku,description\nA,x\nB,x\nC,{'x' * 60}\nD,x\n")
    assert (row.rows, row.slices) == (4, 3)
    parts = ImportSlice.objects.filter(parent=row).order_by("number")
    assert [[cells[:2] for cells in part.rows] for part in parts] == [[[2, "A"], [3, "B"]], [[4, "C"]], [[5, "D"]]]


def test_of_a_file_that_is_refused_nothing_is_stored(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    monkeypatch.setattr(tables, "ROWS_MAX", 600)
    settings.IMPORT_MAX_BYTES = 10_000
    for content, code in [
        ("sku\n" + "A\n" * 601, "validation-error"),
        ("sku\n", "validation-error"),
        ("sku,name\n" + "A,x\n" * 550 + 'B,"x', "validation-error"),
        ("x" * 10_001, "too-large"),
    ]:
        with pytest.raises(DomainError) as caught:
            upload(content)
        assert caught.value.code == code
    assert not Import.objects.exists()
    assert not ImportSlice.objects.exists()

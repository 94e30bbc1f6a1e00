"""What is a table, and what its rows are."""

import io

import pytest

from backoffice.imports import tables
from productbackend.errors import InvalidValue

KNOWN = ("sku", "name", "price")


def read(data: bytes) -> tuple[list[str], list[list[str]], bool]:
    table = tables.read(io.BytesIO(data), KNOWN)
    return table.columns, [[str(row.number), *row.cells] for row in table.rows], table.has_decimal_commas


@pytest.mark.parametrize(
    ("data", "rows", "commas"),
    [
        ("sku,name\nA,x\n", [["2", "A", "x"]], False),
        ("\ufeffSKU ; Name\r\nA;x\r\n", [["2", "A", "x"]], True),
        ("sku\tname\nA\tx", [["2", "A", "x"]], True),
        ("sep=;\r\nsku;name\r\nA;x\r\n", [["2", "A", "x"]], True),
        ("sku\rA\rB\r", [["2", "A"], ["3", "B"]], False),
        ('sku,name\nA,"x, ""y""\r\nz"\nB,\n', [["2", "A", 'x, "y"\r\nz'], ["3", "B", ""]], False),
        ('"sku","name, or; so"'.replace("name, or; so", "name") + "\nA,x", [["2", "A", "x"]], False),
        ("sku,name,,\n\nA,x,,\n,,,\nB\n", [["3", "A", "x"], ["5", "B", ""]], False),
        ("sku,name\nA,x,y\n", [["2", "A", "x", "y"]], False),
    ],
)
def test_csv(data: str, rows: list[list[str]], commas: bool) -> None:
    columns, found, has_commas = read(data.encode())
    assert (columns[0], found, has_commas) == ("sku", rows, commas)


@pytest.mark.parametrize(
    ("data", "code", "detail"),
    [
        (b"", "no_sku", "The first row names no column sku"),
        (b"name,price\nx,1\n", "no_sku", "no column sku"),
        (b"sku,nam\nA,x\n", "unknown_column", "'nam'; use sku, name, price"),
        (b"sku,,name\nA,,x\n", "unknown_column", "''"),
        (b"sku,name,Name\nA,x,y\n", "repeated_column", "name stands twice"),
        (b"sku,name\nA,\xff\n", "encoding", "CSV UTF-8"),
        (b"\x89PNG\r\n\x1a\n", "encoding", "CSV UTF-8"),
        ("sku,name\nA,ü\n".encode("utf-16"), "encoding", "CSV UTF-8"),
        (b'sku,name\nA,"x\nB,y\n', "csv", "near line 3"),
        (b'sku,name\nA,"' + b"x" * 200_000 + b'"\n', "csv", "field larger"),
        (b"sku," + b"x" * 30_000, "csv", "20,000 characters"),
        (b"PK\x03\x04 and no zip", "xlsx", "cannot be read"),
    ],
)
def test_what_is_no_table(data: bytes, code: str, detail: str) -> None:
    with pytest.raises(InvalidValue, match=detail) as caught:
        read(data)
    assert [(error["field"], error["code"]) for error in caught.value.extra["errors"]] == [("file", code)]


def test_too_many_rows_end_the_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "ROWS_MAX", 3)
    assert len(read(b"sku\nA\nB\n\nC\n")[1]) == 3
    endless = tables.read(io.BytesIO(b"sku\n" + b"A\n" * 2_000_000), KNOWN)
    with pytest.raises(InvalidValue, match="at most 3 rows"):
        list(endless.rows)

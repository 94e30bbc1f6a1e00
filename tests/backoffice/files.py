"""Reads exported files."""

import csv
import io
import re
import zipfile
from typing import Any
from xml.etree import ElementTree

NAMESPACE = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def body_of(response: Any) -> bytes:
    assert response.status_code == 200, response.content
    return b"".join(response.streaming_content)


def csv_rows(body: bytes) -> list[dict[str, str]]:
    """The rows by their columns. What does not hold to the format is an error."""
    text = body.decode("utf-8")
    assert text.startswith("\ufeff")
    assert text.endswith("\r\n")
    return list(csv.DictReader(io.StringIO(text[1:], newline=""), strict=True))


def xlsx_cells(body: bytes) -> list[list[str | float | None]]:
    """The rows of the first sheet: texts, numbers, and None for an empty cell. A formula is an error."""
    with zipfile.ZipFile(io.BytesIO(body)) as book:
        assert book.testzip() is None
        sheet = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml"))  # noqa: S314 - ours
    rows = []
    for row in sheet.iter(f"{NAMESPACE}row"):
        cells: list[str | float | None] = []
        for cell in row.iter(f"{NAMESPACE}c"):
            column = _column(cell.attrib["r"])
            cells += [None] * (column - len(cells))
            cells.append(_value(cell))
        rows.append(cells)
    return rows


def _column(reference: str) -> int:
    letters = re.sub("[0-9]", "", reference)
    assert len(letters) == 1
    return ord(letters) - ord("A")


def _value(cell: ElementTree.Element) -> str | float | None:
    assert cell.find(f"{NAMESPACE}f") is None
    if cell.attrib.get("t") == "inlineStr":
        return "".join(text.text or "" for text in cell.iter(f"{NAMESPACE}t"))
    value = cell.find(f"{NAMESPACE}v")
    return None if value is None else float(value.text or "")

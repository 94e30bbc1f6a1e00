"""Writes rows as CSV, piece by piece, or as an XLSX file."""

import csv
import io
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

import xlsxwriter

from backoffice.cells import guarded
from backoffice.exports.kinds import Cell, Kind, Row
from productbackend.errors import InvalidValue

CSV, XLSX = "csv", "xlsx"
TYPES = {
    CSV: "text/csv; charset=utf-8",
    XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
BOM = "\ufeff"  # without it Excel takes the file for one in the code page of its country
CHUNK = 65_536  # bytes

SHEET_ROWS_MAX = 1_048_575  # that Excel opens, besides the header
CELL_MAX = 32_767  # characters of a cell in Excel
EXACT_BELOW = Decimal(10) ** 13  # an amount from which on a cell, which is a float, would not show each cent
NOT_IN_XML = re.compile("[\ufffe\uffff]")


def csv_chunks(kind: Kind, batches: Iterable[list[Row]]) -> Iterator[bytes]:
    """The file in UTF-8 with a byte order mark and CRLF. The first piece has the header and the first rows."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    text.write(BOM)
    writer.writerow(kind.columns)
    for rows in batches:
        writer.writerows([_text(cell) for cell in row] for row in rows)
        yield from _taken(text)
    yield from _taken(text)  # a file without rows has its header


def _taken(text: io.StringIO) -> Iterator[bytes]:
    """What was written to `text`, which is emptied, in pieces that a slow client takes before the connection ends."""
    data = text.getvalue().encode()
    text.seek(0)
    text.truncate()
    for start in range(0, len(data), CHUNK):
        yield data[start : start + CHUNK]


def _text(cell: Cell) -> str:
    if isinstance(cell, str):
        return guarded(cell)
    return f"{cell:.2f}" if isinstance(cell, Decimal) else str(cell)


def xlsx_chunks(kind: Kind, batches: Iterable[list[Row]], *, rows_max: int, characters_max: int) -> Iterator[bytes]:
    """The file in pieces; it is whole on the disk before the first one.

    Raises InvalidValue if it would have more than so many rows or characters of text.
    """
    with tempfile.TemporaryFile() as file:
        write_xlsx(kind, _limited(batches, rows_max=rows_max, characters_max=characters_max), file)
        file.seek(0)
        while chunk := file.read(CHUNK):
            yield chunk


def _limited(batches: Iterable[list[Row]], *, rows_max: int, characters_max: int) -> Iterator[list[Row]]:
    count = characters = 0
    for rows in batches:
        count += len(rows)
        characters += sum(len(cell) for row in rows for cell in row if isinstance(cell, str))
        if count > rows_max or characters > characters_max:
            limits = f"{rows_max:,} rows, and {characters_max:,} characters of text"
            raise InvalidValue(
                "format", "too_large", f"An XLSX file has at most {limits}: narrow the filters, or take csv."
            )
        yield rows


def write_xlsx(kind: Kind, batches: Iterable[list[Row]], file: IO[bytes] | Path) -> None:
    """Write the file, a row at a time. Raises InvalidValue if a sheet or a cell cannot hold what is exported."""
    with tempfile.TemporaryDirectory() as folder:  # where rows are kept until the file is closed
        book = xlsxwriter.Workbook(
            str(file) if isinstance(file, Path) else file, {"constant_memory": True, "tmpdir": folder}
        )
        sheet = book.add_worksheet(kind.name)
        put = _cell_writer(sheet, book.add_format({"num_format": "0.00"}))
        for column, name in enumerate(kind.columns):
            sheet.write_string(0, column, name)
        written = 0
        for rows in batches:
            if written + len(rows) > SHEET_ROWS_MAX:
                raise InvalidValue("format", "too_large", f"A sheet of XLSX has {SHEET_ROWS_MAX:,} rows: take csv.")
            for number, row in enumerate(rows, start=written + 1):
                for column, cell in enumerate(row):
                    put(number, column, cell)
            written += len(rows)
        book.close()


def _cell_writer(sheet: Any, money: Any) -> Callable[[int, int, Cell], None]:
    def put(row: int, column: int, cell: Cell) -> None:
        if isinstance(cell, Decimal) and abs(cell) < EXACT_BELOW:
            sheet.write_number(row, column, float(cell), money)
        elif isinstance(cell, int):
            sheet.write_number(row, column, cell)
        elif text := NOT_IN_XML.sub("\ufffd", _text(cell)):
            if len(text) > CELL_MAX:
                detail = f"A cell of XLSX has {CELL_MAX:,} characters, and row {row + 1} has a longer text: take csv."
                raise InvalidValue("format", "too_large", detail)
            sheet.write_string(row, column, text)

    return put

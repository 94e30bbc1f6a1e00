"""Reads an uploaded file as a table: its header, and its rows of cells. A CSV file is never whole in memory."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any

from backoffice.imports import sheets
from backoffice.imports.columns import FAMILY, OPTION
from productbackend.database.fields import fold
from productbackend.errors import InvalidValue

ROWS_MAX = 1_000_000
COLUMNS_MAX = 100
DELIMITERS = ",;\t"
XLSX_BEGINNING = b"PK\x03\x04"
HEADER_MAX = 20_000  # characters
CELL_MAX = 131_072  # characters; a description has 20,000

csv.field_size_limit(CELL_MAX)


@dataclass(frozen=True)
class Row:
    """A row of the file with its number in a spreadsheet, where the header is row 1."""

    number: int
    cells: list[str]


@dataclass(frozen=True)
class Table:
    columns: list[str]
    rows: Iterator[Row]
    has_decimal_commas: bool


def refused(code: str, detail: str) -> InvalidValue:
    return InvalidValue("file", code, detail)


def read(file: IO[bytes], known: Sequence[str]) -> Table:
    """The table in a CSV or XLSX file with columns of `known`, one of which is `sku`.

    Raises InvalidValue, also while its rows are read.
    """
    file.seek(0)
    beginning = file.read(len(XLSX_BEGINNING))
    file.seek(0)
    if beginning == XLSX_BEGINNING:
        lines, has_commas = sheets.lines(file), True
    else:
        lines, has_commas = _csv_lines(file)
    header = next(lines, [])
    columns = _columns(header, known)
    return Table(columns, _rows(lines, len(columns)), has_commas)


def _csv_lines(file: IO[bytes]) -> tuple[Iterator[list[str]], bool]:
    # It closes the file once the rows were read. newline="": the csv module finds the ends of rows, and line breaks in
    # quotes stay as they are.
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    try:
        first = text.readline(HEADER_MAX)
        if first.lower().startswith("sep="):  # for Excel, which does not show this line
            first = text.readline(HEADER_MAX)
    except UnicodeDecodeError:
        raise refused("encoding", "The file is neither XLSX nor CSV in UTF-8: save it as “CSV UTF-8”.") from None
    if len(first) >= HEADER_MAX:
        raise refused("csv", f"The first row has more than {HEADER_MAX:,} characters: it has the names of the columns.")
    delimiter = max(DELIMITERS, key=lambda each: len(_split(first, each)))
    return _decoded(first, text, delimiter), delimiter != ","


def _split(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


def _decoded(first: str, text: io.TextIOWrapper, delimiter: str) -> Iterator[list[str]]:
    def lines() -> Iterator[str]:
        yield first
        yield from text

    reader = csv.reader(lines(), delimiter=delimiter, strict=True)
    try:
        yield from reader
    except UnicodeDecodeError:
        detail = f"The file is not UTF-8 after line {reader.line_num}: save it as “CSV UTF-8”."
        raise refused("encoding", detail) from None
    except csv.Error as error:
        raise refused("csv", f"The file is no CSV table near line {reader.line_num}: {error}.") from None


def _columns(header: list[str], known: Sequence[str]) -> list[str]:
    columns = [_name(cell) for cell in header[:COLUMNS_MAX]]
    while columns and not columns[-1]:  # as a spreadsheet leaves them
        columns.pop()
    if "sku" not in columns:
        raise refused("no_sku", "The first row names no column sku: it has the names of the columns.")
    takes_options = FAMILY in known
    listed = ", ".join([*known, f"{OPTION}AXIS"] if takes_options else known)
    for position, name in enumerate(columns):
        if name not in known and not (takes_options and name.startswith(OPTION) and name != OPTION):
            raise refused("unknown_column", f"There is no column {header[position].strip()[:50]!r}; use {listed}.")
        if name in columns[:position]:
            raise refused("repeated_column", f"The column {name} stands twice.")
    return columns


def _name(cell: str) -> str:
    """The name of a column as it is compared: without case, and of an option with the axis as it is folded."""
    name = cell.strip().casefold()
    return f"{OPTION}{fold(name.removeprefix(OPTION))}" if name.startswith(OPTION) else name


def _rows(lines: Iterator[list[str]], width: int) -> Iterator[Row]:
    count = 0
    for number, cells in enumerate(lines, start=2):
        if not any(cells):
            continue
        count += 1
        if count > ROWS_MAX:
            raise refused("too_many_rows", f"A file has at most {ROWS_MAX:,} rows: split it.")
        while len(cells) > width and not cells[-1]:
            cells.pop()
        yield Row(number, cells + [""] * (width - len(cells)))


def as_json(row: Row) -> list[Any]:
    return [row.number, *row.cells]

"""Writes each row of the first sheet of the XLSX file on stdin as a line of JSON. A program, started by sheets.py.

It imports nothing of the project: it has little memory, and starts quickly.
"""

import io
import json
import resource
import sys

from python_calamine import CalamineWorkbook


def main(memory: int, seconds: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(sys.stdin.buffer.read())).get_sheet_by_index(0)
    _, first_column = sheet.start or (0, 0)  # rows begin with the sheet, and columns with the first cell
    write = sys.stdout.write
    for row in sheet.iter_rows():
        cells = [cell if isinstance(cell, str | bool | float) else str(cell) for cell in row]
        write(json.dumps([""] * first_column + cells))
        write("\n")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))

"""Reads the first sheet of an XLSX file, in a process of its own.

A small file can unpack to a huge one, or name a cell at the far end of the sheet, for which the reader allocates the
whole sheet. So the reader has a limit of memory and of time: what it cannot read ends that process alone.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from productbackend.errors import InvalidValue

PROGRAM = Path(__file__).with_name("sheet_reader.py")
MEMORY_MAX = 1_000_000_000  # bytes of addresses
SECONDS_MAX = 30
EXACT_BELOW = 10**15  # a spreadsheet's number has 15 digits
TOO_LARGE = "The XLSX file cannot be read, or is too large to unpack: save the sheet as “CSV UTF-8”."


def lines(file: IO[bytes]) -> Iterator[list[str]]:
    """The rows of the first sheet, as texts. Raises InvalidValue."""
    with TemporaryFile() as output:
        command = [sys.executable, "-I", str(PROGRAM), str(MEMORY_MAX), str(SECONDS_MAX)]
        with subprocess.Popen(  # noqa: S603 - our own program
            command, stdin=subprocess.PIPE, stdout=output, stderr=subprocess.DEVNULL
        ) as process:
            ending = threading.Timer(SECONDS_MAX, process.kill)
            ending.start()
            try:
                _feed(process.stdin, file)
                code = process.wait()
            finally:
                ending.cancel()
                process.kill()
        if code:
            raise InvalidValue("file", "xlsx", TOO_LARGE)
        output.seek(0)
        for line in output:
            yield [text_of(cell) for cell in json.loads(line)]


def _feed(pipe: IO[bytes] | None, file: IO[bytes]) -> None:
    assert pipe is not None
    try:
        with pipe:
            while chunk := file.read(65_536):
                pipe.write(chunk)
    except BrokenPipeError:
        pass  # the process has ended: its code says so


def text_of(cell: Any) -> str:
    """A cell as it stands in CSV. Numbers have the 15 digits that a spreadsheet shows, and no exponent."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        if cell.is_integer() and abs(cell) < EXACT_BELOW:
            return str(int(cell))
        return f"{cell:.15g}"
    return str(cell)

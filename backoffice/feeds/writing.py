"""Writes the files of one step: a part of the sitemap, and the pieces of the feed with the same products.

The files are written to the disk first: memory does not grow with their size.
"""

import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO

from backoffice.feeds import files, google, rows, sitemap
from backoffice.feeds.models import FeedBuild
from backoffice.feeds.rows import Row


@dataclass(frozen=True)
class Limits:
    """The sizes of files and steps. The first two are the protocol's; tests have smaller ones."""

    urls: int = 50_000  # of a part
    part_bytes: int = 50_000_000
    piece_bytes: int = 8_000_000  # of the feed: what web reads from a bucket before it sends the first byte
    products: int = 100_000  # of a step, hidden ones too


LIMITS = Limits()


@dataclass
class Step:
    """What a step has written."""

    last_product: int
    is_last: bool = False
    urls: int = 0
    items: int = 0
    part: tuple[int, datetime] | None = None  # its bytes, and the latest change of its products
    pieces: list[int] = field(default_factory=list)  # their bytes
    left_out: dict[str, int] = field(default_factory=dict)


class Output:
    """A file that is being written; it is stored under its name when it is whole."""

    def __init__(self, head: str = "", tail: str = "") -> None:
        self.file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        self.tail, self.size = tail.encode(), 0
        self.write(head.encode())

    def fits(self, data: bytes, size_max: int) -> bool:
        return self.size + len(data) + len(self.tail) <= size_max

    def write(self, data: bytes) -> None:
        self.file.write(data)
        self.size += len(data)

    def store(self, name: str) -> int:
        """Store the file and return its size. Raises FileStoreUnavailable."""
        self.write(self.tail)
        self.file.flush()
        files.save(name, self.file)
        return self.size

    def close(self) -> None:
        self.file.close()


class Writer:
    """Writes the files of one step of a build."""

    def __init__(self, build: FeedBuild, limits: Limits) -> None:
        self.build, self.limits = build, limits
        self.step = Step(build.last_product)
        self.part, self.piece = Output(sitemap.HEAD, sitemap.TAIL), Output()
        self.changed: datetime | None = None

    def add(self, row: Row) -> bool:
        """Add a product to both files; False if the step has to end before it."""
        entry, reason = sitemap.entry(row).encode(), google.reason(row)
        item = b"" if reason else google.item(row).encode()
        if not self._has_room(entry, item):
            return False
        if entry:
            self.part.write(entry)
            self.step.urls += 1
            self.changed = max(self.changed, row.changed_at) if self.changed else row.changed_at
        if reason:
            self.step.left_out[reason] = self.step.left_out.get(reason, 0) + 1
        else:
            self.piece.write(item)
            self.step.items += 1
        self.step.last_product = row.pk
        return True

    def _has_room(self, entry: bytes, item: bytes) -> bool:
        """Whether the step takes both; begins another piece of the feed if the present one is full."""
        if self.step.urls >= self.limits.urls or not self.part.fits(entry, self.limits.part_bytes):
            return False
        if not self.piece.size or self.piece.fits(item, self.limits.piece_bytes):
            return True
        self._store_piece()
        return len(self.step.pieces) < files.PIECES_MAX

    def _store_piece(self) -> None:
        number = len(self.build.pieces) + len(self.step.pieces) + 1
        self.step.pieces.append(self.piece.store(files.piece_name(self.build.token, number)))
        self.piece.close()
        self.piece = Output()

    def end(self) -> Step:
        """Store what is open. A file without a product is not stored."""
        if self.piece.size:
            self._store_piece()
        if self.changed:
            number = len(self.build.parts) + 1
            self.step.part = self.part.store(files.part_name(self.build.token, number)), self.changed
        return self.step

    def close(self) -> None:
        self.part.close()
        self.piece.close()


def write(build: FeedBuild, limits: Limits, report: Callable[[int], object]) -> Step:
    """Write the next step's files. `report` is called with the number of products read. Raises FileStoreUnavailable."""
    writer, read = Writer(build, limits), 0
    with closing(writer):
        for found in rows.slices(build.last_product):
            if not all(writer.add(row) for row in found.rows):
                return writer.end()
            writer.step.last_product = found.last
            report(found.read)
            read += found.read
            if read >= limits.products:
                return writer.end()
        writer.step.is_last = True
        return writer.end()

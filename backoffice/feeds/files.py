"""The files of the sitemap and the feed, in the storage of renditions: they are public and need no backup.

A name belongs to one build, and is served once the build is published. The last one that was published is served
meanwhile.
"""

from collections.abc import Iterator
from typing import IO, Any

from django.core.files.base import File
from django.core.files.storage import default_storage

from backoffice.feeds.models import FeedBuild

FOLDER = "feeds"
CHUNK = 65_536  # bytes
PIECES_MAX = 20  # of the feed that one step writes


def part_name(token: str, number: int) -> str:
    """The storage name of a part of the sitemap, from 1."""
    return f"{FOLDER}/{token}-sitemap-{number}.xml"


def piece_name(token: str, number: int) -> str:
    """The storage name of a piece of the feed, from 1."""
    return f"{FOLDER}/{token}-google-{number}.xml"


def save(name: str, file: IO[Any]) -> None:
    """Write a file, or replace that of an interrupted step. Raises FileStoreUnavailable."""
    default_storage.save(name, File(file))


def chunks(names: list[str]) -> Iterator[bytes]:
    """The content of the files, one after another. Raises FileNotFoundError, FileStoreUnavailable."""
    for name in names:
        with default_storage.open(name) as file:
            while chunk := file.read(CHUNK):
                yield chunk


def remove(build: FeedBuild) -> None:
    """Remove every file that the build can have, also those of a step that was killed. Raises FileStoreUnavailable."""
    names = [part_name(build.token, number + 1) for number in range(len(build.parts) + 1)]
    names += [piece_name(build.token, number + 1) for number in range(len(build.pieces) + PIECES_MAX)]
    for name in names:
        default_storage.delete(name)

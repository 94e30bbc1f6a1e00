"""Where the files of pictures are kept, on a disk; `productbackend.bucket` keeps them in a bucket.

Both hold to Django's interface of a storage, and to this: `save` writes a file whole or not at all, under the
very name that is asked for; `delete` leaves nothing of it; `walk` names all that is there; `place` is where.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage

PART = ".part"  # the end of a file's name while it is written


class Folder(FileSystemStorage):
    """Files below MEDIA_ROOT. One appears by a rename; a `durable` one outlives a power cut."""

    def __init__(self, *, durable: bool = False, **options: Any) -> None:
        super().__init__(allow_overwrite=True, **options)
        self.durable = durable

    @property
    def place(self) -> str:
        return str(self.location)

    def _save(self, name: str, content: File) -> str:
        path = Path(self.path(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(path.name + PART)  # the same for each attempt, so that none leaves a stray one
        try:
            with part.open("wb") as file:
                for chunk in content.chunks():
                    file.write(chunk)
                if self.durable:
                    file.flush()
                    os.fsync(file.fileno())
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        return name

    def delete(self, name: str) -> None:
        """Remove a file, and what an interrupted writing left of it."""
        path = Path(self.path(name))
        path.unlink(missing_ok=True)
        path.with_name(path.name + PART).unlink(missing_ok=True)

    def walk(self) -> Iterator[tuple[str, float]]:
        """Each file's name, whoever made it, and the time of its last change, in seconds."""
        root = Path(self.location)
        for path in root.rglob("*"):
            try:
                if path.is_symlink() or path.is_file():
                    yield path.relative_to(root).as_posix(), path.lstat().st_mtime
            except FileNotFoundError:
                continue  # removed since the folder was read

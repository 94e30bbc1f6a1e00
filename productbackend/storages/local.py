"""Stores the files of images on a disk; `productbackend.storages.s3` stores them in a bucket.

Both implement Django's storage interface, and more: `save` is atomic and uses exactly the given name; `delete` also
removes partial files; `walk` lists all files; `root` is the folder or the bucket; `has_no_folder` is True if nothing
was ever written. If the storage is unreachable or full they raise FileStoreUnavailable.
"""

import errno
import io
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage

from productbackend.errors import FileStoreUnavailable

logger = logging.getLogger(__name__)

PART = ".part"  # the end of a file's name while it is written
READ_BYTES = 65_536  # the buffer


@contextmanager
def translate_os_errors(path: Any) -> Iterator[None]:
    """Log an OSError (full disk, missing disk, no permission) and raise FileStoreUnavailable."""
    try:
        yield
    except OSError as error:
        logger.warning("%s cannot be used: %s", path, error)
        raise FileStoreUnavailable from error


class StoredFile(io.FileIO):
    """A file that raises FileStoreUnavailable on a read error: a decoder treats an OSError as a damaged picture."""

    def readinto(self, buffer: Any) -> Any:
        with translate_os_errors(self.name):
            return super().readinto(buffer)

    def readall(self) -> Any:
        with translate_os_errors(self.name):
            return super().readall()


class AtomicFileSystemStorage(FileSystemStorage):
    """Files below MEDIA_ROOT, published by an atomic rename; `durable` ones are synced to disk first."""

    def __init__(self, *, durable: bool = False, **options: Any) -> None:
        super().__init__(allow_overwrite=True, **options)
        self.durable = durable

    @property
    def root(self) -> str:
        return str(self.location)

    def has_no_folder(self, name: str) -> bool:
        """Whether the top folder of `name` is missing: nothing was written yet, or the disk is not mounted."""
        return not Path(self.location, Path(name).parts[0]).is_dir()

    def _require_disk(self, name: str) -> None:
        """Raise NotADirectoryError if the folder is missing: the disk may be unmounted, so the file is not deleted."""
        if self.has_no_folder(name):
            raise NotADirectoryError(errno.ENOTDIR, "the folder of files is missing", self.root)

    def _open(self, name: str, mode: str = "rb") -> File:
        path = self.path(name)
        with translate_os_errors(path):
            try:
                raw = StoredFile(path)
            except FileNotFoundError as error:
                self._require_disk(name)
                missing = error
            else:
                return File(io.BufferedReader(raw, READ_BYTES))
        raise missing

    def exists(self, name: str) -> bool:
        path = self.path(name)
        with translate_os_errors(path):
            try:
                os.lstat(path)
            except FileNotFoundError:
                self._require_disk(name)
                return False
        return True

    def _save(self, name: str, content: File) -> str:
        with translate_os_errors(self.path(name)):
            return self._write(name, content)

    def _write(self, name: str, content: File) -> str:
        path = Path(self.path(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(path.name + PART)  # the same name for each attempt, so that a retry replaces it
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
        """Remove a file and its partial file of an interrupted write."""
        path = Path(self.path(name))
        path.unlink(missing_ok=True)
        path.with_name(path.name + PART).unlink(missing_ok=True)

    def walk(self) -> Iterator[tuple[str, float]]:
        """Yield each file's name and the time of its last change, in seconds, including files not of the shop."""
        root = Path(self.location)
        with translate_os_errors(root):
            for path in root.rglob("*"):
                try:
                    if path.is_symlink() or path.is_file():
                        yield path.relative_to(root).as_posix(), path.lstat().st_mtime
                except FileNotFoundError:
                    continue  # removed since the folder was read

"""Stores an upload in a temporary file while it is read, and handles a full disk."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, TemporaryFileUploadHandler

from productbackend.errors import FileStoreUnavailable

logger = logging.getLogger(__name__)


class UploadHandler(TemporaryFileUploadHandler):
    """Django's handler; ignores the client's file name, and raises FileStoreUnavailable if the disk is full."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        FileUploadHandler.new_file(self, *args, **kwargs)
        with self._written():
            # Django would append the extension of the client's name, which may be too long for a file name.
            self.file = TemporaryUploadedFile("upload", self.content_type, 0, self.charset, self.content_type_extra)
        self.file.name = self.file_name

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        with self._written():
            self.file.write(raw_data)

    def file_complete(self, file_size: int) -> UploadedFile | None:
        with self._written():
            return super().file_complete(file_size)

    @contextmanager
    def _written(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            logger.warning("The temporary file of an upload cannot be written: %s", error)
            if hasattr(self, "file"):
                with suppress(OSError):  # close() writes the buffer, which fails again
                    self.file.close()
            raise FileStoreUnavailable from error

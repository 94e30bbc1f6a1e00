"""Stores the files of images in buckets of an S3 server, for web and workers that share no disk."""

import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.core.files.base import File
from storages.backends.s3 import S3Storage

from productbackend.errors import FileStoreUnavailable
from productbackend.storages.media import TYPES

logger = logging.getLogger(__name__)

PAGE = 1000  # names in one page of a listing
IN_MEMORY = 1_000_000  # bytes: a larger file is read into a temporary file
CONFIG = Config(
    signature_version="s3v4",
    connect_timeout=2,
    read_timeout=5,
    # One immediate retry. This mode lets a task's soft time limit through; "standard" would retry after it.
    retries={"mode": "legacy", "max_attempts": 1},
    # Many other servers do not support the checksums that S3 introduced in 2024.
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
)


@contextmanager
def translate_s3_errors(bucket: str) -> Iterator[None]:
    """Translate errors of boto3. Raises FileNotFoundError or FileStoreUnavailable."""
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
            raise FileNotFoundError(str(error)) from None
        logger.warning("The bucket %s refused a request: %s", bucket, error)
        raise FileStoreUnavailable from error
    # A task may reach its soft time limit here, and the disk may be full for a temporary file.
    except (BotoCoreError, OSError, SoftTimeLimitExceeded) as error:
        logger.warning("The bucket %s is unreachable: %r", bucket, error)
        raise FileStoreUnavailable from error


class Bucket(S3Storage):
    """One bucket. An object is put by a single request: an interrupted multipart upload would leave invisible parts."""

    def __init__(self, **options: Any) -> None:
        super().__init__(client_config=CONFIG, security_token=None, session_profile=None, **options)
        os.register_at_fork(after_in_child=self._reset_connections)

    def _reset_connections(self) -> None:
        """Drop inherited connections: two processes on one connection would read each other's responses."""
        self.__setstate__(self.__getstate__())  # a pickled storage has no connections

    def has_no_folder(self, name: str) -> bool:
        return False  # a missing bucket is an error of its own

    @property
    def root(self) -> str:
        return str(self.bucket_name)

    @property
    def client(self) -> Any:
        return self.connection.meta.client

    def get_object_parameters(self, name: str) -> dict[str, Any]:
        """The headers that the server sends with the object."""
        known = TYPES.get(name.rpartition(".")[2])
        return {**self.object_parameters, **({"ContentType": known} if known else {})}

    def _save(self, name: str, content: File) -> str:
        with translate_s3_errors(self.root):
            content.seek(0)
            self.client.put_object(Bucket=self.root, Key=name, Body=content, **self.get_object_parameters(name))
        return name

    def _open(self, name: str, mode: str = "rb") -> File:
        """Download the whole file before it is read."""
        file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - the caller closes it
        try:
            with translate_s3_errors(self.root):
                shutil.copyfileobj(self.client.get_object(Bucket=self.root, Key=name)["Body"], file)
        except BaseException:
            with suppress(OSError):
                file.close()
            raise
        file.seek(0)
        return File(file, name)

    def exists(self, name: str) -> bool:
        with translate_s3_errors(self.root):
            return bool(super().exists(name))

    def delete(self, name: str) -> None:
        with translate_s3_errors(self.root):
            super().delete(name)

    def walk(self) -> Iterator[tuple[str, float]]:
        """Yield each object's name and the time of its last change, in seconds, including objects not of the shop."""
        with translate_s3_errors(self.root):
            pages = self.client.get_paginator("list_objects_v2").paginate(
                Bucket=self.root, PaginationConfig={"PageSize": PAGE}
            )
            for page in pages:
                for found in page.get("Contents", ()):
                    yield found["Key"], found["LastModified"].timestamp()

    def url(self, name: str, *args: Any, **options: Any) -> str:
        """The URL of a rendition, at the service or at MEDIA_URL's host."""
        return f"{settings.MEDIA_URL}{name}"

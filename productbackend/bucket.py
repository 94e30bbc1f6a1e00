"""The files of pictures in a bucket of an S3 server, for web and workers that share no disk."""

import logging
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.core.files.base import File
from storages.backends.s3 import S3Storage

from productbackend.errors import FileStoreUnavailable
from productbackend.media import TYPES

logger = logging.getLogger(__name__)

PAGE = 1000  # names in one answer to a listing
IN_MEMORY = 1_000_000  # bytes of a file that is read; a larger one goes to a temporary file
CONFIG = Config(
    signature_version="s3v4",
    connect_timeout=2,
    read_timeout=5,
    # Once more, at once. This mode takes a task's end of time for what it is; "standard" would try again.
    retries={"mode": "legacy", "max_attempts": 1},
    # Checksums that came to S3 in 2024 are unknown to many other servers.
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
)


@contextmanager
def answered(bucket: str) -> Iterator[None]:
    """Say in our own words what is wrong. Raises FileNotFoundError, FileStoreUnavailable."""
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
            raise FileNotFoundError(str(error)) from None
        logger.warning("The bucket %s cannot be used: %s", bucket, error)
        raise FileStoreUnavailable from error
    except (BotoCoreError, SoftTimeLimitExceeded) as error:  # a task may come to its end while it waits here
        logger.warning("The bucket %s does not answer: %r", bucket, error)
        raise FileStoreUnavailable from error


class Bucket(S3Storage):
    """One bucket. An object is put whole by one request: parts of an interrupted upload would be seen by nobody."""

    def __init__(self, **options: Any) -> None:
        super().__init__(client_config=CONFIG, security_token=None, session_profile=None, **options)
        os.register_at_fork(after_in_child=self._forget_connections)

    def _forget_connections(self) -> None:
        """Two processes on one connection would read each other's answers."""
        self._connections = threading.local()

    @property
    def place(self) -> str:
        return str(self.bucket_name)

    @property
    def client(self) -> Any:
        return self.connection.meta.client

    def get_object_parameters(self, name: str) -> dict[str, Any]:
        """What the server tells those who read the object."""
        known = TYPES.get(name.rpartition(".")[2])
        return {**self.object_parameters, **({"ContentType": known} if known else {})}

    def _save(self, name: str, content: File) -> str:
        content.seek(0)
        with answered(self.place):
            self.client.put_object(Bucket=self.place, Key=name, Body=content, **self.get_object_parameters(name))
        return name

    def _open(self, name: str, mode: str = "rb") -> File:
        """The whole file, fetched to this machine before anyone reads it."""
        file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - the reader closes it
        try:
            with answered(self.place):
                shutil.copyfileobj(self.client.get_object(Bucket=self.place, Key=name)["Body"], file)
        except BaseException:
            file.close()
            raise
        file.seek(0)
        return File(file, name)

    def exists(self, name: str) -> bool:
        with answered(self.place):
            return bool(super().exists(name))

    def delete(self, name: str) -> None:
        with answered(self.place):
            super().delete(name)

    def walk(self) -> Iterator[tuple[str, float]]:
        """Each object's name, whoever made it, and the time of its last change, in seconds."""
        with answered(self.place):
            pages = self.client.get_paginator("list_objects_v2").paginate(
                Bucket=self.place, PaginationConfig={"PageSize": PAGE}
            )
            for page in pages:
                for found in page.get("Contents", ()):
                    yield found["Key"], found["LastModified"].timestamp()

    def url(self, name: str, *args: Any, **options: Any) -> str:
        """Where a rendition is read: at the service, or at what stands before the bucket."""
        return f"{settings.MEDIA_URL}{name}"

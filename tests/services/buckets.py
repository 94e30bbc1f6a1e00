"""An S3 server on this machine, with the shop's two buckets configured as in docs/media.md."""

import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from django.conf import settings
from moto.server import ThreadedMotoServer

from tests.ports import free_port

ORIGINALS, RENDITIONS = "shop-originals", "shop-renditions"
KEY, SECRET = "the-shop", "a-secret-of-the-tests-alone"
GUIDE = settings.BASE_DIR / "docs" / "media.md"


def policy() -> str:
    """The bucket policy of renditions in the guide."""
    block = re.search(r"```json\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    assert block is not None
    assert RENDITIONS in block[1]
    return block[1]


class Objects:
    """The server. Its buckets belong to the tests' process: another server has those of the first."""

    def __init__(self) -> None:
        logging.getLogger("werkzeug").setLevel(logging.WARNING)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.server: ThreadedMotoServer | None = None
        self.client: Any = boto3.client(
            "s3", endpoint_url=self.url, region_name="us-east-1", aws_access_key_id=KEY, aws_secret_access_key=SECRET
        )

    def start(self) -> None:
        self.server = ThreadedMotoServer("127.0.0.1", self.port, verbose=False)
        self.server.start()

    def stop(self) -> None:
        if self.server is not None:
            self.server.stop()
            self.server = None

    @contextmanager
    def gone(self) -> Iterator[None]:
        self.stop()
        try:
            yield
        finally:
            self.start()

    def make_buckets(self) -> None:
        """The two buckets, empty."""
        for bucket in (ORIGINALS, RENDITIONS):
            self.client.create_bucket(Bucket=bucket)
        self.client.put_bucket_policy(Bucket=RENDITIONS, Policy=json.dumps(json.loads(policy())))
        self.empty()

    def empty(self) -> None:
        for bucket in (ORIGINALS, RENDITIONS):
            for name in self.names(bucket):
                self.client.delete_object(Bucket=bucket, Key=name)

    def names(self, *buckets: str) -> list[str]:
        """The names of the objects in these buckets; in both if none is given."""
        found = []
        for bucket in buckets or (ORIGINALS, RENDITIONS):
            for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
                found += [each["Key"] for each in page.get("Contents", ())]
        return sorted(found)

    def environment(self) -> dict[str, str]:
        """The settings of the service for this server."""
        return {
            "S3_ORIGINALS_BUCKET": ORIGINALS,
            "S3_RENDITIONS_BUCKET": RENDITIONS,
            "S3_ACCESS_KEY_ID": KEY,
            "S3_SECRET_ACCESS_KEY": SECRET,
            "S3_ENDPOINT_URL": self.url,
            "MEDIA_URL": f"{self.url}/{RENDITIONS}",
        }


class BucketPath:
    """A pathlib-like interface to the two buckets, for tests that use a folder: `path / name` is a file."""

    def __init__(self, objects: Objects, name: str = "") -> None:
        self.objects = objects
        self.location = {"Bucket": RENDITIONS if "-" in name else ORIGINALS, "Key": name}

    def __truediv__(self, name: str) -> "BucketPath":
        return BucketPath(self.objects, name)

    def unlink(self) -> None:
        self.objects.client.delete_object(**self.location)

    def write_bytes(self, data: bytes) -> None:
        self.objects.client.put_object(**self.location, Body=data)

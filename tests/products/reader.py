"""A process that reads the shop: `python -m tests.products.reader DATABASE`.

For each line of JSON, `[path, headers]`, it writes one line of JSON: status, headers, body and number
of queries. Tests write in their own process and read in this one.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import django
from django.conf import settings


@dataclass
class Response:
    status: int
    headers: dict[str, str]
    body: str
    queries: int

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Reader:
    """The process, for use in a test."""

    def __init__(self, database: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.products.reader", database],
            cwd=settings.BASE_DIR,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def get(self, path: str, **headers: str) -> Response:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps([path, headers]) + "\n")
        self.process.stdin.flush()
        return Response(**json.loads(self.process.stdout.readline()))

    def uncached(self, path: str) -> Response:
        return self.get(path, Accept="application/json, text/csv")

    def end(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(10)


def serve(database: str) -> None:
    settings.DATABASES["default"]["NAME"] = database
    settings.ALLOWED_HOSTS = ["*"]
    django.setup()
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client(raise_request_exception=False)
    for line in sys.stdin:
        path, headers = json.loads(line)
        with CaptureQueriesContext(connection) as queries:
            response = client.get(path, headers=headers)
        row = Response(response.status_code, dict(response.items()), response.content.decode(), len(queries))
        sys.stdout.write(json.dumps(row.__dict__) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve(sys.argv[1])

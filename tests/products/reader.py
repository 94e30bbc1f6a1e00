"""Another process that reads the shop: `python -m tests.products.reader DATABASE`.

It takes a line of JSON, `[path, headers]`, and answers with one: status, headers, body and the
number of queries. Tests write in one process and read in this.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import django
from django.conf import settings


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: str
    queries: int

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Reader:
    """The process, as a test speaks to it."""

    def __init__(self, database: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.products.reader", database],
            cwd=settings.BASE_DIR,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def get(self, path: str, **headers: str) -> Answer:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps([path, headers]) + "\n")
        self.process.stdin.flush()
        return Answer(**json.loads(self.process.stdout.readline()))

    def uncached(self, path: str) -> Answer:
        return self.get(path, Cookie="seen=1")

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
            answer = client.get(path, headers=headers)
        row = Answer(answer.status_code, dict(answer.items()), answer.content.decode(), len(queries))
        sys.stdout.write(json.dumps(row.__dict__) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve(sys.argv[1])

"""The worker of pictures with limits that a test can wait for: `python -m tests.products.limited_worker JSON`.

The JSON says which database and file store are the test's, and how many seconds and bytes there are.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import django
from django.conf import settings


@contextmanager
def limited_worker(log: Path, *, soft: float, hard: float, room: int) -> Iterator[subprocess.Popen[bytes]]:
    given = {
        "database": str(settings.DATABASES["default"]["NAME"]),
        "media": str(settings.MEDIA_ROOT),
        "soft": soft,
        "hard": hard,
        "room": room,
    }
    command = [sys.executable, "-m", "tests.products.limited_worker", json.dumps(given)]
    from productbackend.celery import app
    from products import tasks

    task = app.tasks[tasks.make_renditions.name]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=settings.BASE_DIR, stdout=output, stderr=output, env=os.environ, start_new_session=True
        )
    try:
        # Where a message's sender knows the task, the message says how long it may take, by what the task keeps.
        with mock.patch.multiple(task, soft_time_limit=soft, time_limit=hard, _exec_options=None):
            yield process
    except BaseException:
        print(log.read_text())  # noqa: T201
        raise
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def main(given: dict[str, Any]) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "productbackend.settings"
    settings.DATABASES["default"]["NAME"] = given["database"]
    settings.MEDIA_ROOT = given["media"]
    django.setup()
    from productbackend.celery import app
    from products import tasks

    task = app.tasks[tasks.make_renditions.name]
    task.soft_time_limit, task.time_limit = given["soft"], given["hard"]
    tasks.BYTES_A_PIXEL, tasks.ELBOW_ROOM = 0, given["room"]
    app.worker_main(["--quiet", "worker", "--queues", "images", "--concurrency", "2", "--loglevel", "INFO"])


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))

"""A worker for images with lower limits: `python -m tests.products.images.limited_worker JSON`.

The JSON has the test's database and file store, the time limits in seconds and the memory in bytes.
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
def limited_worker(log: Path, *, soft: float, hard: float, memory: int) -> Iterator[subprocess.Popen[bytes]]:
    options = {
        "database": str(settings.DATABASES["default"]["NAME"]),
        "media": str(settings.MEDIA_ROOT),
        "soft": soft,
        "hard": hard,
        "memory": memory,
    }
    command = [sys.executable, "-m", "tests.products.images.limited_worker", json.dumps(options)]
    from productbackend.celery import app
    from products import tasks

    task = app.tasks[tasks.make_renditions.name]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=settings.BASE_DIR, stdout=output, stderr=output, env=os.environ, start_new_session=True
        )
    try:
        # Celery writes the sender's time limits into the message: set them on the sender's task too.
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


def main(options: dict[str, Any]) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "productbackend.settings"
    settings.DATABASES["default"]["NAME"] = options["database"]
    settings.MEDIA_ROOT = options["media"]
    django.setup()
    from productbackend.celery import app
    from products import tasks

    task = app.tasks[tasks.make_renditions.name]
    task.soft_time_limit, task.time_limit = options["soft"], options["hard"]
    tasks.BYTES_PER_PIXEL, tasks.MEMORY_RESERVE = 0, options["memory"]
    app.worker_main(["--quiet", "worker", "--queues", "images", "--concurrency", "2", "--loglevel", "INFO"])


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))

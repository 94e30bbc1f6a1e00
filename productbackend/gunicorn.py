"""Gunicorn's settings: `gunicorn --config python:productbackend.gunicorn productbackend.wsgi`."""

import gc
import logging
import os
from contextlib import suppress
from typing import Any

from gunicorn import glogging

from productbackend.environment import line_or_exit

with line_or_exit():
    from productbackend import settings
    from productbackend.metrics import counters, files

bind = f"127.0.0.1:{settings.PORT}"
workers = min(max(os.cpu_count() or 2, 2), 8)  # one a core; more of them by more containers
worker_class = "gthread"
threads = 8
preload_app = True  # a quarter less memory, and what is wrong shows before a worker is started


def when_ready(server: Any) -> None:
    """All is loaded, and no worker forked yet: what is there stays, and the collector need not look at it.

    By looking it would write to each page of memory that the workers share, and make it their own.
    """
    for result in counters.READS:
        counters.reads.labels(result)  # which begins at 0, and not with the first read
    gc.collect()
    gc.freeze()


def child_exit(server: Any, worker: Any) -> None:
    """What a process has counted stays, and its file goes."""
    with suppress(OSError), files.locked():
        files.fold()


# Whose word is taken for how clients came is said by NUM_PROXIES alone; Gunicorn would take anyone's on this machine.
forwarded_allow_ips = ""

# Longer than a proxy keeps its connections: none is closed just as a request comes along.
keepalive = 75
graceful_timeout = 25
# A worker begins anew now and then, each at another moment, so that nothing can grow for ever.
max_requests = 4000
max_requests_jitter = 1000

# The workers' heartbeat is a file; on a disk it could wait for the disk.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108
control_socket_disable = True


class Logger(glogging.Logger):
    """Gunicorn's own lines go where all others go; each request has its line already, by productbackend.access."""

    def access(self, *args: Any, **kwargs: Any) -> None:
        pass


logger_class = Logger
logconfig_dict = settings.LOGGING
logging.captureWarnings(True)

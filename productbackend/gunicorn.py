"""Gunicorn's settings: `gunicorn --config python:productbackend.gunicorn productbackend.wsgi`."""

import gc
import logging
import os
from contextlib import suppress
from typing import Any

from gunicorn import glogging

from productbackend.environment import exit_on_bad_setting, netloc

with exit_on_bad_setting():
    from productbackend import settings
    from productbackend.observability.metrics import counters, files

bind = netloc(settings.HOST, settings.PORT)
workers = min(max(os.cpu_count() or 2, 2), 8)  # one per core; run more containers for more
worker_class = "productbackend.api.gunicorn_worker.Worker"  # gthread, with problem documents as errors
threads = 8
preload_app = True  # a quarter less memory, and errors show before a worker is started


def when_ready(server: Any) -> None:
    """Freeze the loaded objects before the first fork, so that the garbage collector skips them.

    A collection would write to each memory page that the workers share, and so copy it.
    """
    for result in counters.READS:
        counters.reads.labels(result)  # creates the series at 0, before the first read
    gc.collect()
    gc.freeze()


def child_exit(server: Any, worker: Any) -> None:
    """Merge the counters of a dead process."""
    with suppress(OSError), files.locked():
        files.merge_dead_files()


# NUM_PROXIES alone decides which forwarded headers are trusted; Gunicorn would trust any process on this machine.
forwarded_allow_ips = ""

# Above the proxy's limits (deploy/nginx), which rejects longer ones; the first is Gunicorn's maximum.
limit_request_line = 8_190
limit_request_field_size = 16_380

# Longer than the proxy's keep-alive: otherwise a connection may be closed just as a request arrives.
keepalive = 75
graceful_timeout = 25
# Workers are restarted periodically, with jitter, so that memory cannot grow for ever.
max_requests = 4000
max_requests_jitter = 1000

# The workers' heartbeat is a file; on a disk it could block on I/O.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108
control_socket_disable = True


class Logger(glogging.Logger):
    """Logs by the settings, without access lines, which productbackend.access writes."""

    def access(self, *args: Any, **kwargs: Any) -> None:
        pass


logger_class = Logger
logconfig_dict = settings.LOGGING
logging.captureWarnings(True)

"""What the workers do for the catalogue: each task is one call into the domain, and may run twice."""

import resource
from pathlib import Path
from typing import Any

from celery import shared_task
from celery.signals import worker_process_init
from django.conf import settings

from products import images, ledger

# A decoder holds a picture in at most this many bytes a pixel: WebP's two canvases, its copy of one,
# Pillow's own, and what is made of it.
BYTES_A_PIXEL = 24
ELBOW_ROOM = 512_000_000


@shared_task(soft_time_limit=images.SOFT_LIMIT, time_limit=images.TIME_LIMIT)
def make_renditions(image_id: int) -> None:
    images.process(image_id)


@shared_task(expires=images.SWEEP_SECONDS)
def sweep() -> None:
    images.sweep()


@shared_task(expires=60)
def check_stock() -> None:
    ledger.check_on()


@worker_process_init.connect(dispatch_uid="limit_memory")
def limit_memory(**kwargs: Any) -> None:
    """Let a decoder that takes memory without end fail in this process, before the machine does."""
    statm = Path("/proc/self/statm")
    if not statm.exists():
        return  # macOS keeps no such limit
    in_use = int(statm.read_text().split()[0]) * resource.getpagesize()
    limit = in_use + ELBOW_ROOM + BYTES_A_PIXEL * settings.IMAGE_MAX_PIXELS
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))

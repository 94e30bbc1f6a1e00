"""Celery tasks of the catalogue. Each is one call of a domain function, and may run twice."""

import resource
from pathlib import Path
from typing import Any

from celery import shared_task
from celery.signals import worker_process_init
from django.conf import settings

from products.images import lifecycle, replaced
from products.inventory import ledger
from products.search import reindex as search_reindex

# A decoder needs at most this many bytes per pixel: WebP's two canvases and its copy of one,
# Pillow's own image, and the renditions.
BYTES_PER_PIXEL = 24
MEMORY_RESERVE = 512_000_000


@shared_task(soft_time_limit=lifecycle.SOFT_LIMIT, time_limit=lifecycle.TIME_LIMIT)
def make_renditions(image_id: int) -> None:
    lifecycle.process(image_id)


@shared_task(expires=lifecycle.SWEEP_SECONDS)
def sweep() -> None:
    lifecycle.sweep()


@shared_task(expires=300)
def remove_replaced_files() -> None:
    replaced.sweep()


@shared_task
def reindex(reindex_id: int) -> None:
    search_reindex.process(reindex_id)


@shared_task(expires=search_reindex.SWEEP_SECONDS)
def sweep_reindex() -> None:
    search_reindex.sweep()


@shared_task(expires=60)
def check_stock() -> None:
    ledger.check_next_slice()


@worker_process_init.connect(dispatch_uid="limit_memory")
def limit_memory(**kwargs: Any) -> None:
    """Limit this process's memory, so that a decoder with unbounded allocations fails alone."""
    statm = Path("/proc/self/statm")
    if not statm.exists():
        return  # macOS does not enforce the limit
    in_use = int(statm.read_text().split()[0]) * resource.getpagesize()
    limit = in_use + MEMORY_RESERVE + BYTES_PER_PIXEL * settings.IMAGE_MAX_PIXELS
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))

"""The counters and histograms of requests and tasks."""

import functools
from typing import Any

from celery import current_app
from celery.signals import task_failure, task_success, worker_ready
from prometheus_client import Counter, Histogram

from productbackend.observability.context import TaskContext, current_context
from productbackend.observability.metrics import mapped

mapped.install()

# Around the target latency of a request, and up to the time limit of a task.
REQUEST_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2.5, 5, 10)
TASK_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 60, 120)
READS = ("hit", "not_modified", "miss")
RESULTS = ("success", "failure", "lost")

requests = Counter(
    "productbackend_http_requests_total",
    "Requests that were answered, by route, not by path.",
    ["method", "route", "status"],
    registry=None,
)
request_seconds = Histogram(
    "productbackend_http_request_duration_seconds",
    "How long they took.",
    ["method", "route"],
    buckets=REQUEST_BUCKETS,
    registry=None,
)
reads = Counter(
    "productbackend_catalogue_reads_total",
    "Anonymous reads of the catalogue, by whether the cache had the page (hit, not_modified) or not (miss).",
    ["result"],
    registry=None,
)
sign_ins = Counter(
    "productbackend_sign_ins_total",
    "Passwords that were checked or refused, by route and by what came of it: success, failure, throttled.",
    ["route", "result"],
    registry=None,
)
tasks = Counter(
    "productbackend_tasks_total",
    "Tasks that ended, by how: success, failure (also by a time limit), lost (with its process, and tried again).",
    ["task", "result"],
    registry=None,
)
task_seconds = Histogram(
    "productbackend_task_duration_seconds",
    "How long they took.",
    ["task"],
    buckets=TASK_BUCKETS,
    registry=None,
)


@functools.lru_cache(maxsize=10_000)  # there are few, and `labels` takes as long as `inc`
def _of_request(method: str, route: str, status: int) -> tuple[Any, Any]:
    return requests.labels(method, route, str(status)), request_seconds.labels(method, route)


@functools.lru_cache
def _of_read(result: str) -> Any:
    return reads.labels(result)


def count_request(method: str, route: str, status: int, context: TaskContext) -> None:
    counter, seconds = _of_request(method, route, status)
    counter.inc()
    seconds.observe(context.seconds)
    if context.cache:
        _of_read(context.cache).inc()


def count_sign_in(route: str, result: str) -> None:
    sign_ins.labels(route, result).inc()


@task_success.connect(dispatch_uid="metrics")
def count_success(sender: Any, **kwargs: Any) -> None:
    count_task(sender.name, "success")


@task_failure.connect(dispatch_uid="metrics")
def count_failure(sender: Any, **kwargs: Any) -> None:
    """Runs in the process that ran the task or, if a time limit killed it, in the worker's main process."""
    count_task(sender.name, "failure")


def count_task(name: str, result: str) -> None:
    tasks.labels(name, result).inc()
    if context := current_context.get():
        task_seconds.labels(name).observe(context.seconds)


@worker_ready.connect(dispatch_uid="metrics")
def create_task_series(**kwargs: Any) -> None:
    """Create each series at 0, so that the first failure is an increase and not a new series."""
    for name in current_app.tasks:
        if not name.startswith("celery."):
            for result in RESULTS:
                tasks.labels(name, result)

"""Serves `/metrics` from web, to the networks in METRICS_FROM, and from a worker with METRICS_PORT."""

import ipaddress
import logging
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from celery.signals import worker_process_init, worker_ready
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.request import validate_host
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest, start_http_server
from prometheus_client.core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from productbackend.observability.metrics import files
from productbackend.observability.metrics.gauges import Gauges

logger = logging.getLogger(__name__)

PATH = "/metrics"
# A proxy sets one of these. Prometheus sets none.
PROXY_HEADERS = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_FORWARDED", "HTTP_VIA", "HTTP_X_REAL_IP")


def may_read(environ: dict[str, Any]) -> bool:
    """Whether the client is in METRICS_FROM, came through no proxy, and sent an allowed Host."""
    if any(name in environ for name in PROXY_HEADERS) or not is_allowed_host(environ.get("HTTP_HOST", "")):
        return False
    try:
        address = ipaddress.ip_address(environ.get("REMOTE_ADDR", ""))
    except ValueError:  # a Unix socket, with a proxy in front, has no address
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return any(address in network for network in settings.METRICS_FROM)


def is_allowed_host(host: str) -> bool:
    """Whether a Host header is an address, a name without a dot, or one of ALLOWED_HOSTS.

    DNS rebinding: a page of another site can make a browser in the network send requests here, but only with the name
    of that site, which has a dot. Prometheus uses an address, or a name of the internal network, such as web.
    """
    name = host.rpartition(":")[0] if re.search(r":[0-9]{1,5}\Z", host) else host
    with suppress(ValueError):
        return bool(ipaddress.ip_address(name.strip("[]")))
    return "." not in name or validate_host(name, settings.ALLOWED_HOSTS)


class Counters(Collector):
    """The counters of all processes in METRICS_DIR."""

    def collect(self) -> Iterable[Metric]:
        with files.locked():
            try:
                files.merge_dead_files()
            except OSError as error:  # the files are left, and added up separately
                logger.warning("Counters of dead processes cannot be merged: %s", error)
            metrics: Iterable[Metric] = MultiProcessCollector(None, str(settings.METRICS_DIR)).collect()
            return metrics


WORKER, WEB = CollectorRegistry(), CollectorRegistry()
WORKER.register(Counters())
WEB.register(Counters())
WEB.register(Gauges())


class MetricsMiddleware:
    """Responds before hosts, sessions and routes are checked. For other clients the path does not exist."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info == PATH and request.method == "GET" and may_read(request.META):
            headers = {"Cache-Control": "no-store"}
            return HttpResponse(generate_latest(WEB), content_type=CONTENT_TYPE_LATEST, headers=headers)
        return self.get_response(request)


@worker_ready.connect(dispatch_uid="metrics_server")
def serve(**kwargs: Any) -> None:
    """Serve the metrics of the pool from the worker's main process, to everybody who can reach the port."""
    if not settings.METRICS_PORT:
        return
    server, _ = start_http_server(settings.METRICS_PORT, registry=WORKER)
    # A pool process that outlived this one would hold the port.
    worker_process_init.connect(lambda **kwargs: server.socket.close(), weak=False, dispatch_uid="metrics_server")
    logger.info("Metrics are at port %d", settings.METRICS_PORT)

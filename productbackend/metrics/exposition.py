"""Who may ask for the metrics, and the text that they get: `/metrics` of web, and of a worker with METRICS_PORT."""

import ipaddress
import logging
import socketserver
import threading
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from celery.signals import worker_process_init, worker_ready
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from productbackend.metrics import files
from productbackend.metrics.gauges import Gauges

logger = logging.getLogger(__name__)

PATH = "/metrics"
# A proxy says for whom it asks. Prometheus asks for itself.
OF_A_PROXY = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_FORWARDED", "HTTP_VIA", "HTTP_X_REAL_IP")


def may_read(environ: dict[str, Any]) -> bool:
    """Whether that is a neighbour, of one of METRICS_FROM, who came by no proxy."""
    if any(name in environ for name in OF_A_PROXY):
        return False
    try:
        address = ipaddress.ip_address(environ.get("REMOTE_ADDR", ""))
    except ValueError:  # a socket file has none, and a proxy behind it
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return any(address in network for network in settings.METRICS_FROM)


def text(*, gauges: bool) -> bytes:
    """What all processes of METRICS_DIR have counted and, from web, what is looked up."""
    registry = CollectorRegistry()
    with files.locked():
        files.fold()
        MultiProcessCollector(registry)
        counted = generate_latest(registry)
    if not gauges:
        return counted
    looked_up = CollectorRegistry()
    looked_up.register(Gauges())
    return counted + generate_latest(looked_up)


class MetricsMiddleware:
    """Answers before hosts, sessions and routes are looked at. To anyone else the path does not exist."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info == PATH and request.method == "GET" and may_read(request.META):
            headers = {"Cache-Control": "no-store"}
            return HttpResponse(text(gauges=True), content_type=CONTENT_TYPE_LATEST, headers=headers)
        return self.get_response(request)


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """What a worker serves."""
    if environ.get("PATH_INFO") != PATH or not may_read(environ):
        start_response("404 Not Found", [("Content-Type", "text/plain")])
        return [b""]
    start_response("200 OK", [("Content-Type", CONTENT_TYPE_LATEST)])
    return [text(gauges=False)]


class Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Silent(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@worker_ready.connect(dispatch_uid="metrics_server")
def serve(**kwargs: Any) -> None:
    """The worker's own process answers for those of its pool."""
    if not settings.METRICS_PORT:
        return
    server = make_server("", settings.METRICS_PORT, application, server_class=Server, handler_class=Silent)
    # A process of the pool that outlived this one would keep the port.
    worker_process_init.connect(lambda **kwargs: server.socket.close(), weak=False, dispatch_uid="metrics_server")
    threading.Thread(target=server.serve_forever, daemon=True, name="metrics").start()
    logger.info("Metrics are at port %d", settings.METRICS_PORT)

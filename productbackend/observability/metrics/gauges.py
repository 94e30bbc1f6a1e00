"""Gauges that apps register and that are read on each scrape. Each has one value for the whole shop.

Each instance of web exposes all of them, so a query takes their `max`. A gauge that cannot be read is left out, and
`productbackend_up` of its source is 0.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.db import DatabaseError
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from redis.exceptions import RedisError

from productbackend.observability import health

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Gauge:
    help: str
    read: Callable[[], float | None]
    waiting: str = ""
    alert: str = ""


GAUGES: dict[str, Gauge] = {}


def register(name: str, help: str, read: Callable[[], float | None], waiting: str = "", alert: str = "") -> None:
    """Register a gauge. `read` must be quick and use an index. Called from an app's `ready`.

    A gauge of the seconds that the oldest `waiting` has waited names its `alert`: `doctor` reads it too.
    """
    GAUGES[name] = Gauge(help, read, waiting, alert)


def read(name: str) -> float:
    """Read the current value of a gauge; 0 if it has none."""
    return GAUGES[name].read() or 0.0


class Gauges(Collector):
    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("productbackend_up", "Whether it answers, as /health/ready/ says.", labels=["part"])
        for part, answers in health.check_components().items():
            up.add_metric([part], float(answers))
        yield up
        for name, gauge in GAUGES.items():
            try:
                value = gauge.read()
            except (DatabaseError, RedisError, OSError) as error:
                logger.warning("%s cannot be read: %s", name, error)
                continue
            if value is not None:
                yield GaugeMetricFamily(name, gauge.help, value=value)

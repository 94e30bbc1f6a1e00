"""What is looked up when Prometheus asks: apps say what to measure, and one number of each is true of the whole shop.

Each instance of web gives them all, so a query takes the `max` of them. What cannot be read is left out, and what
it was read from is down in `productbackend_up`.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.db import DatabaseError
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from redis.exceptions import RedisError

from productbackend import health

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Gauge:
    help: str
    read: Callable[[], float | None]


_gauges: dict[str, Gauge] = {}


def register(name: str, help: str, read: Callable[[], float | None]) -> None:
    """Say what `name` is and how it is read, quickly and by an index. Called from an app's `ready`."""
    _gauges[name] = Gauge(help, read)


def read(name: str) -> float:
    """What `name` is now."""
    return _gauges[name].read() or 0.0


class Gauges(Collector):
    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("productbackend_up", "Whether it answers, as /health/ready/ says.", labels=["part"])
        for part, answers in health.parts().items():
            up.add_metric([part], float(answers))
        yield up
        for name, gauge in _gauges.items():
            try:
                value = gauge.read()
            except (DatabaseError, RedisError, OSError) as error:
                logger.warning("%s cannot be read: %s", name, error)
                continue
            if value is not None:
                yield GaugeMetricFamily(name, gauge.help, value=value)

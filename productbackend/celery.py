"""The Celery application: `celery -A productbackend worker`, `celery -A productbackend beat`."""

import gc
import logging
import os
from logging.config import dictConfig
from typing import Any

from billiard import get_logger
from celery import Celery, Task
from celery.loaders.app import AppLoader
from celery.signals import celeryd_init, setup_logging, worker_init
from django.conf import settings
from kombu.exceptions import OperationalError

from productbackend.caches.circuit_breaker import CircuitBreaker
from productbackend.environment import exit_on_bad_setting
from productbackend.workers import redis_broker  # noqa: F401  (registers itself with kombu)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "productbackend.settings")


class Loader(AppLoader):
    """Reports a bad setting in one line. Celery loads the settings late, inside its command line."""

    def config_from_object(self, obj: Any, silent: bool = False) -> Any:
        with exit_on_bad_setting():
            return super().config_from_object(obj, silent=silent)


class ShopTask(Task):
    """Names the Request class as a string, so that only workers import it."""

    Request = "productbackend.workers.request:ShopRequest"


class Shop(Celery):
    """Waits at most a second to send a task; after a failure the circuit breaker rejects sends immediately."""

    breaker = CircuitBreaker("The broker is unreachable; the sweeps will send the tasks again")

    def connection_for_write(self, url: Any = None, **kwargs: Any) -> Any:
        kwargs["transport_options"] = {**settings.BROKER_PUBLISH_OPTIONS, **(kwargs.get("transport_options") or {})}
        return super().connection_for_write(url, **kwargs)

    def send_task(self, *args: Any, **kwargs: Any) -> Any:
        """Celery's; raises kombu's OperationalError immediately while the circuit breaker is open."""
        if self.breaker.is_open():
            raise OperationalError("The broker was unreachable a moment ago.")
        try:
            sent = super().send_task(*args, **kwargs)
        except (OperationalError, OSError) as error:
            self.breaker.trip(error)
            raise
        self.breaker.reset()
        return sent


app = Shop("productbackend", loader="productbackend.celery:Loader", task_cls=ShopTask)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@celeryd_init.connect(dispatch_uid="logs")
@setup_logging.connect(dispatch_uid="logs")
def configure_logging(loglevel: int | None = None, **kwargs: Any) -> None:
    """Configure logging by the settings and `--loglevel`. A receiver of this signal disables Celery's own logging."""
    get_logger()  # its first call removes handlers, so it comes before dictConfig
    dictConfig(settings.LOGGING)
    if loglevel:
        logging.getLogger().setLevel(loglevel)
    logging.captureWarnings(True)  # such as the warning about workers that run as root


@worker_init.connect(dispatch_uid="freeze")
def freeze(**kwargs: Any) -> None:
    """Freeze the loaded objects before the first fork, as productbackend/gunicorn.py does, and for its reason."""
    gc.collect()
    gc.freeze()

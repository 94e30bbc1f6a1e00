"""The Celery application: `celery -A productbackend worker`, `celery -A productbackend beat`."""

import logging
import os
from logging.config import dictConfig
from typing import Any

from celery import Celery, Task
from celery.loaders.app import AppLoader
from celery.signals import celeryd_init, setup_logging
from celery.utils.log import get_multiprocessing_logger
from django.conf import settings

from productbackend.environment import line_or_exit

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "productbackend.settings")


class Loader(AppLoader):
    """Celery reads the settings late, deep inside its command line: there too a bad one gives one line."""

    def config_from_object(self, obj: Any, silent: bool = False) -> Any:
        with line_or_exit():
            return super().config_from_object(obj, silent=silent)


class ShopTask(Task):
    """Only a worker loads what it names."""

    Request = "productbackend.worker:ShopRequest"


app = Celery("productbackend", loader="productbackend.celery:Loader", task_cls=ShopTask)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@celeryd_init.connect(dispatch_uid="logs")
@setup_logging.connect(dispatch_uid="logs")
def write_as_all_others(loglevel: int | None = None, **kwargs: Any) -> None:
    """By the settings, and `--loglevel`: whoever takes this signal keeps Celery from a way of its own."""
    get_multiprocessing_logger()  # at its first call it would take its lines out again
    dictConfig(settings.LOGGING)
    if loglevel:
        logging.getLogger().setLevel(loglevel)
    logging.captureWarnings(True)  # such as the one for workers that run as root

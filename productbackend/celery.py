"""The Celery application: `celery -A productbackend worker`, `celery -A productbackend beat`."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "productbackend.settings")

app = Celery("productbackend")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

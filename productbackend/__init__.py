"""The project: settings, routes and what every app shares."""

from productbackend.celery import app as celery_app

__all__ = ["celery_app"]

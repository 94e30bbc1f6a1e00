"""Faults of real servers; with SQLite there is none to stop."""

from django.conf import settings

if settings.DATABASES["default"]["ENGINE"].endswith("mysql"):
    from tests.services.fixtures import spread, stack, standing, standing_spread  # noqa: F401
else:
    collect_ignore_glob = ["test_*.py"]  # see make test-services

"""Faults of real servers; not collected with SQLite."""

from django.conf import settings

if settings.DATABASES["default"]["ENGINE"].endswith("mysql"):
    from tests.services.fixtures import session_spread, session_stack, spread, stack  # noqa: F401
else:
    collect_ignore_glob = ["test_*.py"]  # see make test-services

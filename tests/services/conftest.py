"""Faults of real servers; not collected with SQLite."""

from django.conf import settings

if settings.DATABASES["default"]["ENGINE"].endswith("mysql"):
    from tests.services.fixtures import (  # noqa: F401
        group,
        session_group,
        session_spread,
        session_stack,
        spread,
        stack,
    )
else:
    collect_ignore_glob = ["test_*.py"]  # see make test-services

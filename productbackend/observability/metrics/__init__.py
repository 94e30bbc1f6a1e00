"""Prometheus metrics: counters of the processes, and gauges from the database and the cache.

Each process writes its counters to its own file in METRICS_DIR, by prometheus_client; a scrape adds them up.
"""

import os

from django.conf import settings

# prometheus_client reads it on import, which the modules of this package do after this line.
os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(settings.METRICS_DIR)

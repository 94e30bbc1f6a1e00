"""What Prometheus reads: what the processes count, and what the database and the cache know.

Each process counts in a file of its own in METRICS_DIR, by prometheus_client; whoever is asked adds them up.
"""

import os

from django.conf import settings

# prometheus_client looks for it when it is imported, which the modules of this package do after this line.
os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(settings.METRICS_DIR)

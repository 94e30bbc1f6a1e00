"""The test provider's process, and the faults that it injects."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import shop
from benchmarks.processes import end
from payments.test_provider import signing

FAULTS = {
    "lose": 0.15, "double": 0.2, "delay": 0.2, "reorder": 0.3, "lie": 0.2, "delay_seconds": 3,
    "error_before": 0.04, "error_after": 0.04, "timeout_after": 0.01, "timeout_seconds": 6,
}  # fmt: skip
NONE = dict.fromkeys(("lose", "double", "delay", "reorder", "lie", "error_before", "error_after", "timeout_after"), 0)


@contextmanager
def provider_process() -> Iterator[None]:
    """The test provider, as `make run` starts it."""
    with Path(os.environ["DATA_DIR"], "provider.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "test_provider"],
            cwd=shop.ROOT,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            yield
        finally:
            end([process], 10)


def inject(faults: dict[str, Any]) -> None:
    """Change the provider's faults, as soon as it runs."""
    token = signing.api_token(os.environ["SECRET_KEY"])
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    url = f"{os.environ['TEST_PROVIDER_URL']}/faults"
    request = urllib.request.Request(url, json.dumps(faults).encode(), headers)
    for attempt in range(300):
        try:
            urllib.request.urlopen(request, timeout=10).close()
            return
        except OSError:
            if attempt == 299:
                raise
            time.sleep(0.1)

"""Loaded by pytest before Django's settings: the tests use no `.env` and no servers of a real shop.

Every setting of `.env.sample` is removed from the environment; `make test-services` sets its servers
by other names (TEST_MYSQL_HOST and so on). Each parallel worker uses its own Redis databases, since
it empties them.
"""

import gc
import os
import re
import shutil
import tempfile
from pathlib import Path

SAMPLE = Path(__file__).resolve().parent.parent / ".env.sample"

for name in re.findall(r"^#? ?([A-Z][A-Z0-9_]*)=", SAMPLE.read_text(), re.MULTILINE):
    os.environ.pop(name, None)
    if given := os.environ.get(f"TEST_{name}"):
        os.environ[name] = given

if "REDIS_HOST" in os.environ:
    own = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    os.environ["REDIS_DATABASE"] = os.environ["TEST_REDIS_DATABASES"].split(",")[own]

os.environ["ENV_FILE"] = os.devnull
os.environ["SECRET_KEY"] = "a key of the tests alone, known to all who read it"
data = Path(tempfile.mkdtemp(prefix="productbackend-test-"))
(data / "static").mkdir()
os.environ["DATA_DIR"] = str(data)
for name in ("THROTTLE_REGISTER", "THROTTLE_TOKEN", "THROTTLE_PASSWORD_RESET", "THROTTLE_CHECKOUT"):
    os.environ[name] = "100000/min"


def pytest_load_initial_conftests() -> None:
    """Collect no garbage until the tests are collected: nothing of what is loaded is any."""
    gc.disable()


def pytest_unconfigure() -> None:
    shutil.rmtree(data, ignore_errors=True)

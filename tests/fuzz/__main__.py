"""Fuzzes a running service of its own by its OpenAPI document: `python -m tests.fuzz [schemathesis options]`.

The service is started as by `make run`, on the MySQL and Redis of `make test-services`, with its own data, a
customer and a small catalogue. It is fuzzed once as staff and once as a customer; the exit code is non-zero if
Schemathesis finds a failure.
"""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import django
import MySQLdb

from tests import environment  # noqa: F401  (before Django's settings: no .env is met)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "productbackend.settings")
django.setup()

from tests.fuzz import edges  # noqa: E402  (needs the apps)
from tests.passwords import PASSWORD  # noqa: E402  (needs the apps)
from tests.services.run import database, queue  # noqa: E402  (needs the apps)
from tests.services.servers import Missing  # noqa: E402  (needs the apps)
from tests.setup.service import Service  # noqa: E402  (needs the apps)

# These revoke the token of the run; tests/accounts tests them.
SPARED = "^/(account/|account/password/|token/revoke-all/)$"


def seed(service: Service, token: str) -> None:
    """Create a small catalogue, a customer and a cart with an item."""
    for path, body in [
        ("/categories/", {"name": "Shoes"}),
        ("/categories/", {"name": "Boots", "parent": 1}),
        *[("/products/", {"name": f"Shoe {n}", "quantity": 100, "price": f"{n}.50", "category": 1}) for n in range(9)],
    ]:
        service.request("POST", path, json=body, token=token).raise_for_status()
    customer = {"username": "carla", "email": "carla@example.com", "password": PASSWORD, "repeat_password": PASSWORD}
    service.request("POST", "/register/", json=customer).raise_for_status()


def fuzz(service: Service, token: str, options: list[str]) -> int:
    command = [
        f"{Path(sys.executable).parent}/schemathesis",
        "--config-file",
        str(Path(__file__).with_name("schemathesis.toml")),
        "run",
        f"{service.url}/api-schema/?format=json",
        "--header",
        f"Authorization: Bearer {token}",
        "--exclude-path-regex",
        SPARED,
        *options,
    ]
    hooks = {"SCHEMATHESIS_HOOKS": "tests.fuzz.checks"}
    return subprocess.run(command, env=os.environ | hooks, check=False).returncode


def servers(given: dict[str, str]) -> dict[str, str]:
    """The service's settings for the servers of the tests; creates its database."""
    found = {name.removeprefix("TEST_"): value for name, value in given.items()}
    with MySQLdb.connect(
        host=found["MYSQL_HOST"],
        port=int(found["MYSQL_PORT"]),
        user=found["MYSQL_USER"],
        password=found["MYSQL_PASSWORD"],
    ) as connection:
        connection.cursor().execute(f"CREATE DATABASE {found['MYSQL_DATABASE']} CHARACTER SET utf8mb4")
    return found | {"REDIS_DATABASE": found.pop("REDIS_DATABASES").split(",")[0]}


def main(options: list[str]) -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended from outside"))  # so that the databases are dropped
    rates = dict.fromkeys(
        (
            "THROTTLE_REGISTER",
            "THROTTLE_TOKEN",
            "THROTTLE_PASSWORD_RESET",
            "THROTTLE_EMAIL_CHANGE",
            "THROTTLE_CHECKOUT",
        ),
        "100000/min",
    )
    with database() as mysql, queue() as redis, tempfile.TemporaryDirectory(prefix="productbackend-fuzz-") as folder:
        data = Path(folder) / "data"
        service = Service(data, has_demo=False, ACCESS_TOKEN_LIFETIME="1440", **rates, **servers(mysql | redis))
        try:
            service.start()
            seed(service, service.token())
            found = edges.faults(service, service.token())
            sys.stderr.write("".join(f"{each}\n" for each in found))
            codes = [len(found) > 0, *(fuzz(service, service.token(name), options) for name in ("boss", "carla"))]
        finally:
            service.stop()
        if any(codes):
            sys.stderr.write(
                "".join(line for line in service.log.splitlines(True) if "ERROR" in line or "Error" in line)
            )
    return max(codes)


try:
    sys.exit(main(sys.argv[1:]))
except Missing as missing:
    sys.exit(f"productbackend: {missing}")

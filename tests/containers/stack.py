"""The compose stack under test: a checkout of the code, settings, and docker compose."""

import os
import re
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.http_client import HttpClient

BASE_DIR = Path(__file__).resolve().parents[2]
SHOP = "http://127.0.0.1"
client = HttpClient(SHOP)
request = client.request
PASSWORD = secrets.token_urlsafe(12)
# The settings of .env. A step may change them and restart the stack.
SECRETS = ("SECRET_KEY", "MYSQL_PASSWORD", "MYSQL_ROOT_PASSWORD", "REDIS_PASSWORD")
SETTINGS = {name: secrets.token_urlsafe(40) for name in SECRETS} | {
    "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
    "SHOP_NAME": "Containers & Co",
    "ACCESS_TOKEN_LIFETIME": "600",
    "THROTTLE_REGISTER": "1000/hour",
    "THROTTLE_TOKEN": "1000/min",
    "THROTTLE_CHECKOUT": "100000/min",
    "THROTTLE_CATALOGUE": "100000/min",  # every shopper has the address of this host
}
# A copy of the code, which a deployment may change.
CHECKOUT = Path(tempfile.mkdtemp(prefix="productbackend-"))


class Failed(AssertionError):
    """An expectation failed."""


def check_out() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=BASE_DIR,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in listed.stdout.splitlines():
        if (BASE_DIR / name).exists():
            (CHECKOUT / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(BASE_DIR / name, CHECKOUT / name)
    CHECKOUT.chmod(0o755)


def edit(path: str, old: str, new: str) -> None:
    """Change a file of the checkout, as `git pull` would."""
    text = (CHECKOUT / path).read_text()
    expect(text.count(old) == 1, f"{path} has {text.count(old)} times {old!r}")
    (CHECKOUT / path).write_text(text.replace(old, new))


def say(line: str) -> None:
    print(line, flush=True)


def step(name: str, what: str, do: Callable[[], Any]) -> Any:
    began = time.monotonic()
    done = do()
    say(f"{name}: {what}, {time.monotonic() - began:.0f} s")
    return done


def expect(condition: object, what: str) -> None:
    if not condition:
        raise Failed(what)


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run an operator's command in the checkout."""
    environment = os.environ | SETTINGS
    # The checkout has no .env: the environment has its settings.
    environment |= {"COMPOSE_PROJECT_NAME": "productbackend-test", "COMPOSE_ENV_FILES": os.devnull}
    return subprocess.run(arguments, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False)


def run(*arguments: str, check: bool = True) -> str:
    """Run a command; return its output. Raises Failed if it fails."""
    done = command(*arguments)
    if check and done.returncode:
        raise Failed(f"{' '.join(arguments)}: {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}")
    return done.stdout.strip()


def compose(*arguments: str, check: bool = True) -> str:
    return run("docker", "compose", *arguments, check=check)


def docker(*arguments: str) -> str:
    return run("docker", *arguments)


def log(container: str, *options: str) -> str:
    """The log of a container, stdout and stderr."""
    done = command("docker", "logs", *options, container)
    return done.stdout + done.stderr


def logs(service: str) -> str:
    """The logs of all containers of a service."""
    return "".join(log(container) for container in containers(service))


def containers(service: str) -> list[str]:
    return compose("ps", "--quiet", service).split()


def main_pid(container: str) -> int:
    return int(docker("inspect", "--format", "{{.State.Pid}}", container))


def manage(*arguments: str) -> str:
    return compose("exec", "-T", "web", "python", "manage.py", *arguments)


def sql(statement: str) -> list[list[str]]:
    """Run a statement as the database's administrator."""
    given = 'MYSQL_PWD=$MYSQL_ROOT_PASSWORD exec mysql -u root -BN "$MYSQL_DATABASE" -e "$0"'
    return [line.split("\t") for line in compose("exec", "-T", "db", "sh", "-c", given, statement).splitlines()]


def number(statement: str) -> int:
    return int(sql(statement)[0][0])


def token(username: str = "admin", password: str = PASSWORD) -> str:
    return client.token(username, password)


def tour() -> str:
    """The README's tour at the stack's address."""
    block = re.search(r"```sh\n(SHOP=.*?)```", (BASE_DIR / "README.md").read_text(), re.DOTALL)
    expect(block, "the README has no tour")
    return re.sub("^SHOP=.*", f"SHOP={SHOP}", block[1] if block else "", count=1)

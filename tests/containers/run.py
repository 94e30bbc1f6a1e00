"""Builds the image, runs docker-compose.yml on port 80 and tests the stack: `python -m tests.containers.run`.

For releases: it takes long, needs a Docker engine, and kills containers' processes by their ids
on this host, so it runs on the engine's machine, as root. Each step prints its result. Arguments
select parts: `python -m tests.containers.run deploy`.
"""

import shutil
import sys
import time

from tests.containers import back_office, backup, deploy, life, two_hosts
from tests.containers.stack import CHECKOUT, check_out, compose, say, step

PARTS = {
    "life": life.live,
    "work": back_office.work,
    "payments": back_office.pay,
    "hosts": two_hosts.work,
    "backup": backup.back_up_and_restore,
    "deploy": deploy.replace,
}


def main(names: list[str]) -> int:
    check_out()
    try:
        step("build", "docker compose build", lambda: compose("build", "--quiet", "web"))
        step("up", "docker compose up --detach --wait", lambda: compose("up", "--detach", "--wait"))
        for name in names:
            began = time.monotonic()
            PARTS[name]()
            say(f"== {name}: good, {time.monotonic() - began:.0f} s")
        return 0
    except AssertionError as failed:
        say(f"FAILED: {failed}")
        say(compose("logs", "--no-color", "--tail", "30", check=False))
        return 1
    finally:
        down = ("--profile", "deploy", "down", "--volumes", "--timeout", "20")
        step("down", "docker compose down --volumes", lambda: compose(*down, check=False))
        shutil.rmtree(CHECKOUT)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or list(PARTS)))

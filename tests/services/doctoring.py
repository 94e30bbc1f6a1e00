"""Runs manage.py doctor on a stack, and reads its findings."""

import subprocess
import sys
import time
from collections.abc import Callable

from django.conf import settings

from tests.services.stack import Stack
from tests.waiting import wait_for

KEY = "Zk3vQ9xT7bLr2WnY8sHc5JdM1fPgA6uE4tRoVi0yXqBwKjNz"


def workers_are_ready(stack: Stack) -> None:
    """Wait for the workers: the stack counts as started when web is ready."""
    for process in ("worker", "images"):
        wait_for(lambda name=process: "ready." in stack.log(name), seconds=120)  # type: ignore[misc]


def doctor(stack: Stack, *, before: str = "", **environment: str) -> tuple[int, list[str]]:
    """Run doctor; return the exit code and the lines. `before` is Python code that runs first."""
    program = f"import sys; {before or 'pass'}\nfrom django.core.management import execute_from_command_line as run\n"
    done = subprocess.run(
        [sys.executable, "-c", f"{program}run(['manage.py', 'doctor'])"],
        cwd=settings.BASE_DIR,
        env=stack.environment
        | {"DJANGO_SETTINGS_MODULE": "productbackend.settings", "SECRET_KEY": KEY}
        | {"DEFAULT_FROM_EMAIL": "shop@example.com"}
        | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout, done.stderr
    assert KEY not in done.stdout + done.stderr
    return done.returncode, done.stdout.splitlines()


def doctor_until(stack: Stack, is_expected: Callable[[list[str]], bool], **options: str) -> tuple[int, list[str]]:
    """Run doctor until the lines are as expected, since effects of an earlier fault may last; else return the last."""
    end = time.monotonic() + 60
    while True:
        code, lines = doctor(stack, **options)
        if is_expected(lines) or time.monotonic() > end:
            return code, lines


def names(lines: list[str], level: str) -> set[str]:
    return {line[6:].partition(":")[0] for line in lines if line.startswith(level)}


def finding(lines: list[str], name: str) -> str:
    """The finding of a check that has one."""
    [line] = [line for line in lines if line[6:].partition(":")[0] == name]
    return line

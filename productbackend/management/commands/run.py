"""`make run`: the whole service on this machine, from an empty database to a running shop."""

import argparse
import fcntl
import socket
from pathlib import Path
from typing import Any, TextIO

from django.apps import apps
from django.conf import settings
from django.core.management import CommandError, call_command, get_commands
from django.core.management.base import BaseCommand
from django.db import DatabaseError, connections

from productbackend.processes import run_procfile

DEMO_PRODUCTS = 200


class Command(BaseCommand):
    help = "Set up what is missing, then run web, workers and beat until Ctrl-C or TERM."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--procfile", type=Path, default=settings.BASE_DIR / "Procfile")

    def handle(self, *args: Any, procfile: Path, **options: Any) -> None:
        lock = self.lock_data()  # held until this process ends
        self.check_port()
        try:
            call_command("migrate", interactive=False, verbosity=0)
            call_command("collectstatic", interactive=False, verbosity=0)
            call_command("ensure_superuser", stdout=self.stdout)
            self.load_demo()
        except DatabaseError as error:
            raise CommandError(f"The database cannot be used: {error}") from error
        connections.close_all()  # the processes open their own
        self.say_addresses()
        code = run_procfile(procfile, cwd=settings.BASE_DIR, log_format=settings.LOG_FORMAT or "text")
        lock.close()
        if code:
            raise SystemExit(code)

    def lock_data(self) -> TextIO:
        """Refuse to run twice on the same data: two beats would send every job twice."""
        lock = open(settings.DATA_DIR / "run.lock", "w")  # noqa: SIM115
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise CommandError(f"{settings.DATA_DIR} is in use by another `make run`: stop that one first.") from error
        return lock

    def check_port(self) -> None:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", settings.PORT))
            except OSError as error:
                raise CommandError(
                    f"Port {settings.PORT} cannot be had ({error.strerror}): stop what uses it, "
                    "or set PORT to another, as in `make run PORT=8001`."
                ) from error

    def load_demo(self) -> None:
        """Fill an empty catalogue, once: a shop that emptied its own is not filled again."""
        marker = settings.DATA_DIR / "demo-loaded"
        if marker.exists() or "demo" not in get_commands():
            return
        if not apps.get_model("products", "Product").objects.exists():
            self.stdout.write(f"Loading a demo catalogue of {DEMO_PRODUCTS} products")
            call_command("demo", products=DEMO_PRODUCTS)
        marker.touch()

    def say_addresses(self) -> None:
        address = f"http://127.0.0.1:{settings.PORT}"
        self.stdout.write(
            f"""
  The API     {address}/
  Swagger UI  {address}/api-docs/
  The admin   {address}/admin/   (as {settings.SUPERUSER_USERNAME})

Ctrl-C stops it all.
"""
        )
        self.stdout.flush()

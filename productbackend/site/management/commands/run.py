"""`make run`: sets up and runs the whole service on this machine."""

import argparse
import fcntl
import socket
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import urlsplit

from django.apps import apps
from django.conf import settings
from django.contrib.staticfiles.management.commands import collectstatic
from django.core.management import CommandError, call_command, get_commands
from django.core.management.base import BaseCommand
from django.db import DatabaseError, connections

from productbackend import environment
from productbackend.embedded import processes
from productbackend.embedded.supervisor import Supervisor

WATCHED = {".py", ".html", ".txt"}
EVERY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  (compared with, not listened on)


class Command(BaseCommand):
    help = "Set up what is missing, then run web, workers and beat until Ctrl-C or TERM."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--procfile", type=Path, default=settings.BASE_DIR / "Procfile")

    def handle(self, *args: Any, procfile: Path, **options: Any) -> None:
        lock = self.lock_data()  # held until this process exits
        self.check_ports()
        try:
            call_command("migrate", interactive=False, verbosity=0)
            self.collect_static()
            call_command("ensure_superuser", stdout=self.stdout)
            self.load_demo()
        except DatabaseError as error:
            raise CommandError(f"The database cannot be used: {error}") from error
        connections.close_all()  # the processes open their own
        self.print_addresses()
        code = Supervisor(
            procfile,
            cwd=settings.BASE_DIR,
            watch=source_files if settings.RELOAD else None,
            added={name: process.command for name, process in processes.REGISTERED.items()},
            LOG_FORMAT=settings.LOG_FORMAT or "text",
            # A front end on this machine may use the API, from any port.
            CORS_ALLOWED_ORIGINS=",".join(settings.CORS_ALLOWED_ORIGINS) or environment.LOCALHOST,
        ).run()
        lock.close()
        if code:
            raise SystemExit(code)

    def lock_data(self) -> TextIO:
        """Lock DATA_DIR: two beats would send every job twice. Raises CommandError if it is locked."""
        lock = open(settings.DATA_DIR / "run.lock", "w")  # noqa: SIM115
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise CommandError(f"{settings.DATA_DIR} is in use by another `make run`: stop that one first.") from error
        return lock

    def check_ports(self) -> None:
        """Raises CommandError if the service or a registered process could not listen."""
        if reason := why_unavailable(settings.HOST, settings.PORT):
            raise CommandError(
                f"Port {settings.PORT} of HOST {settings.HOST} is unavailable ({reason}): stop the process "
                "that uses it, or set another PORT or HOST, as in `make run PORT=8001`."
            )
        for process in processes.REGISTERED.values():
            parts = urlsplit(process.url)
            reason = why_unavailable(parts.hostname or "", parts.port or 80, is_local=True)
            if reason:
                raise CommandError(
                    f"{process.title} cannot listen at {process.url} ({reason}): set another {process.setting}, "
                    "or stop the process that uses its port."
                )

    def collect_static(self) -> None:
        """Hash and compress the static files only if one has changed: it is the slowest step."""
        quiet = {"interactive": False, "verbosity": 0}
        copying = collectstatic.Command()
        call_command(copying, post_process=False, **quiet)
        if copying.copied_files or not (settings.STATIC_ROOT / "staticfiles.json").exists():
            call_command("collectstatic", **quiet)

    def load_demo(self) -> None:
        """Load the demo data into an empty catalogue, once: a catalogue that was emptied stays empty."""
        marker = settings.DATA_DIR / "demo-loaded"
        if marker.exists() or "demo" not in get_commands():
            return
        call_command("demo", if_empty=True, stdout=self.stdout)
        marker.touch()

    def print_addresses(self) -> None:
        host = EVERY_ADDRESS.get(settings.HOST, settings.HOST)
        address = f"http://{environment.netloc(host, settings.PORT)}"
        others = "".join(f"  {process.title}  {process.url}/\n" for process in processes.REGISTERED.values())
        self.stdout.write(
            f"""
  The API     {address}/
  Swagger UI  {address}/api-docs/
  The admin   {address}/admin/   (as {settings.SUPERUSER_USERNAME})
{others}
Ctrl-C stops it all.
"""
        )
        self.stdout.flush()


def why_unavailable(host: str, port: int, *, is_local: bool = False) -> str | None:
    """Why this process cannot listen there, on this machine alone if `is_local`; None if it can."""
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        if is_local and not ip_address(str(address[0])).is_loopback:
            return "it is for this machine alone, such as 127.0.0.1"
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        return error.strerror or str(error)
    return None


def source_files() -> frozenset[tuple[Path, int]]:
    """The code and the templates of the project, each with the time of its last change."""
    folders = [settings.BASE_DIR / "productbackend", *(Path(config.path) for config in apps.get_app_configs())]
    found = set()
    for folder in (each for each in folders if each.parent == settings.BASE_DIR):
        for path in folder.rglob("*"):
            if path.suffix in WATCHED:
                with suppress(FileNotFoundError):  # an editor's temporary file
                    found.add((path, path.stat().st_mtime_ns))
    return frozenset(found)

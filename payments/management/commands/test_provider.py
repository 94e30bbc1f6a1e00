"""`manage.py test_provider`: the payment provider for developers, as a process of its own."""

import signal
import threading
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management import CommandError
from django.core.management.base import BaseCommand

from payments.test_provider.server import NotOnLoopback, Server


class Command(BaseCommand):
    help = "Run the test provider of payments until Ctrl-C or TERM. `make run` does, if PAYMENT_METHODS names test."
    requires_system_checks = []  # those of the shop: this process has books of its own

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.SITE_URL.startswith("https://"):
            raise CommandError("SITE_URL is https: a shop on the internet takes no play money.")
        try:
            server = Server(
                settings.TEST_PROVIDER_URL,
                folder=settings.DATA_DIR,
                shop_url=settings.SITE_URL,
                secret_key=settings.SECRET_KEY,
            )
        except NotOnLoopback as error:
            raise CommandError(f"TEST_PROVIDER_URL: {error}") from error
        except OSError as error:
            raise CommandError(
                f"TEST_PROVIDER_URL {settings.TEST_PROVIDER_URL} is unavailable ({error.strerror}): stop the process "
                "that uses its port, or set another one."
            ) from error

        def stop(signum: int, frame: FrameType | None) -> None:
            # In a thread, since it waits for serve_forever, which runs in this one. To raise here instead would end a
            # connection that has just been given to its thread.
            threading.Thread(target=server.shutdown).start()

        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, stop)
        self.stdout.write(f"The test provider listens at {settings.TEST_PROVIDER_URL}/")
        self.stdout.flush()
        try:
            server.serve_forever(poll_interval=0.1)
        finally:
            server.close()

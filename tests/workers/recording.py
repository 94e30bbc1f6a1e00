"""The service's scheduler of periodic tasks, which records tasks instead of sending them."""

from datetime import UTC, datetime
from typing import Any

from productbackend.celery import app
from productbackend.workers.scheduler import Scheduler


class RecordingScheduler(Scheduler):
    """`sent` has the name of each task that was sent, with the time."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, datetime]] = []
        super().__init__(app=app)
        self._finalize.cancel()  # the test's database is gone when the process exits

    def apply_async(self, entry: Any, *args: Any, **kwargs: Any) -> Any:
        self.sent.append((entry.name, datetime.now(UTC)))

    def ticks(self, clock: Any, seconds: int) -> list[str]:
        """The tasks that it sends within so many seconds."""
        self.sent = []
        for _ in range(seconds):
            clock.shift(1)
            while self.tick() == 0:
                pass
        return [name for name, _ in self.sent]

"""A circuit breaker: after a failure a server is not called for a cooldown period, so that no request waits for it."""

import logging
import time

logger = logging.getLogger(__name__)

COOLDOWN = 2.0  # seconds
LOG_EVERY = 60.0  # seconds


class CircuitBreaker:
    """The state of one server in this process. After each cooldown one caller tries the server again."""

    def __init__(self, message: str) -> None:
        self.message = message  # what is logged, at most every LOG_EVERY, before the reason
        self.retry_at = 0.0
        self.is_tripped = False
        self.logged_at = -LOG_EVERY

    def is_open(self) -> bool:
        """Whether calls must be skipped. After a cooldown one caller gets False and then calls trip or reset."""
        if not self.is_tripped:
            return False
        now = time.monotonic()
        if now < self.retry_at:
            return True
        self.retry_at = now + COOLDOWN
        return False

    def reset(self) -> None:
        """Close the breaker: the server answered."""
        self.retry_at, self.is_tripped = 0.0, False

    def trip(self, reason: object) -> None:
        """Open the breaker for a cooldown: the server failed."""
        now = time.monotonic()
        self.is_tripped, self.retry_at = True, now + COOLDOWN
        if now - self.logged_at >= LOG_EVERY:
            self.logged_at = now
            logger.warning("%s: %s", self.message, reason)

"""Rate limit of all workers together: MAIL_PER_MINUTE, per minute of the clock.

The counters' cache counts. While it is unreachable no mail is sent: exceeding a provider's limit may cost the shop
its sender address, and pending mails wait in their rows.
"""

import logging
import time

from django.conf import settings

from productbackend.caches.counters import CONNECTION_ERRORS, counters

logger = logging.getLogger(__name__)


def acquire() -> bool:
    """Count one mail; return whether it may be sent now."""
    if not settings.MAIL_PER_MINUTE:
        return True
    try:
        counted, _ = counters.count(_key(), 120)
    except CONNECTION_ERRORS as error:
        logger.warning("No mail is sent while the counters' cache is unreachable: %s", error)
        return False
    return bool(counted <= settings.MAIL_PER_MINUTE)


def available(limit: int) -> int:
    """Return how many mails may still be sent this minute, at most `limit`."""
    if not settings.MAIL_PER_MINUTE:
        return limit
    try:
        return max(0, min(limit, settings.MAIL_PER_MINUTE - (counters.get(_key()) or 0)))
    except CONNECTION_ERRORS:
        return 0


def _key() -> str:
    return f"outbox:minute:{int(time.time()) // 60}"

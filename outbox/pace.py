"""How many mails all workers together may take up in a minute of the clock: MAIL_PER_MINUTE.

The shared cache counts, for its `add` and `incr` are atomic. While it is away no mail is taken up:
a provider's limit, once passed, may cost the shop its address, and what is owed waits in its row.
"""

import logging
import time

from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)


def take_one() -> bool:
    """Whether one more mail may be taken up now; it is counted."""
    if not settings.MAIL_PER_MINUTE:
        return True
    key = _key()
    try:
        cache.add(key, 0, 120)
        return cache.incr(key) <= settings.MAIL_PER_MINUTE
    except (RedisError, OSError) as error:
        logger.warning("No mail is sent while the cache that counts them is away: %s", error)
        return False


def left(most: int) -> int:
    """How many of `most` mails this minute still takes."""
    if not settings.MAIL_PER_MINUTE:
        return most
    try:
        return max(0, min(most, settings.MAIL_PER_MINUTE - (cache.get(_key()) or 0)))
    except (RedisError, OSError):
        return 0


def _key() -> str:
    return f"outbox:minute:{int(time.time()) // 60}"

"""How often an address or an account may try."""

import hashlib
import ipaddress
import logging
import time
from typing import Any

from django.core.cache import cache
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.settings import api_settings
from rest_framework.throttling import BaseThrottle

from accounts.backends import find_account
from productbackend.fields import fold

logger = logging.getLogger(__name__)

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class CountingThrottle(BaseThrottle):
    """So many requests of one kind within a period that begins with the first of them.

    DRF's own reads a list and writes it back, and of 20 requests at once counts one. Here the cache
    counts: `add` and `incr` are atomic in it. The counter's name holds the period's beginning, so
    that a counter which expires under us is never taken up again without its end.
    """

    left = 0.0

    def allow_request(self, request: Request, view: Any) -> bool:
        ident = self.ident(request)
        if ident is None:
            return True
        allowed, _, unit = str(api_settings.DEFAULT_THROTTLE_RATES[view.throttle_scope]).partition("/")
        name = hashlib.sha256(f"{view.throttle_scope}:{ident}".encode()).hexdigest()
        try:
            return self.count(f"throttle:{name}", SECONDS[unit[0]]) <= int(allowed)
        except (RedisError, OSError) as error:
            logger.warning("Nothing is throttled while the cache is away: %s", error)
            return True

    def ident(self, request: Request) -> str | None:
        """Whose requests are counted; None where there is nobody to count for."""
        raise NotImplementedError

    def count(self, key: str, period: int) -> int:
        now = time.time()
        # The key that is there already may expire before it is read.
        began = now if cache.add(key, now, period) else cache.get(key) or now
        self.left = max(began + period - now, 0.0)
        counter = f"{key}:{began}"
        cache.add(counter, 0, 2 * period)
        return cache.incr(counter)

    def wait(self) -> float:
        return self.left


class AddressThrottle(CountingThrottle):
    """Counts by network address: the connection's own, or what our own proxies say (NUM_PROXIES)."""

    def ident(self, request: Request) -> str:
        return f"address:{_network(self.get_ident(request))}"


class AccountThrottle(CountingThrottle):
    """Counts by the account that the body names, which may well not exist."""

    field = "username"

    def ident(self, request: Request) -> str | None:
        name = request.data.get(self.field) if isinstance(request.data, dict) else None
        return self.account(name.strip()) if isinstance(name, str) and name.strip() else None

    def account(self, name: str) -> str:
        return f"{self.field}:{fold(name)}"


class SignInThrottle(AccountThrottle):
    """The account's name and its address count together."""

    def account(self, name: str) -> str:
        user = find_account(name) if "\x00" not in name else None
        return f"account:{user.pk}" if user else super().account(name)


class AddresseeThrottle(AccountThrottle):
    field = "email"


class EmailChangeThrottle(CountingThrottle):
    """Counts by the account that is signed in, whichever address it asks for: each one gets a mail."""

    def ident(self, request: Request) -> str | None:
        asks = request.method == "PATCH" and isinstance(request.data, dict) and "email" in request.data
        return f"account:{request.user.pk}" if asks else None


def _network(address: str | None) -> str:
    """An IPv6 customer has a /64 of addresses: they count as one."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return address or ""
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is None:
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)

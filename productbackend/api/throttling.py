"""The base classes of the API's throttles."""

import logging
from typing import Any

from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.settings import api_settings
from rest_framework.throttling import BaseThrottle

from productbackend.api.clients import client_network
from productbackend.caches.counters import CONNECTION_ERRORS, count, parse_rate

logger = logging.getLogger(__name__)


class CountingThrottle(BaseThrottle):
    """Allows a number of requests within a period that begins with the first request.

    DRF's throttle reads a list and writes it back, so it may count one of 20 concurrent requests. Subclasses implement
    `ident`.
    """

    scope: str | None = None  # the view's `throttle_scope` if unset
    left = 0.0

    def allow_request(self, request: Request, view: Any) -> bool:
        ident = self.ident(request)
        if ident is None:
            return True
        scope = self.scope or view.throttle_scope
        allowed, period = parse_rate(str(api_settings.DEFAULT_THROTTLE_RATES[scope]))
        try:
            counted, self.left = count(f"{scope}:{ident}", period)
        except CONNECTION_ERRORS as error:
            logger.warning("Requests are not throttled while the cache of the counters is unreachable: %s", error)
            return True
        return counted <= allowed

    def ident(self, request: Request) -> str | None:
        """The key by which requests are counted; None if the request is not counted."""
        raise NotImplementedError

    def wait(self) -> float:
        return self.left


class ClientIPThrottle(CountingThrottle):
    """Counts by the client's network address."""

    def ident(self, request: Request) -> str | None:
        return f"address:{client_network(request)}"


class AnonymousReadThrottle(ClientIPThrottle):
    """Counts anonymous reads that reach a view; pages from a cache do not. Off if the rate of its scope is unset.

    A request with an invalid session cookie is anonymous, and counted.
    """

    def allow_request(self, request: Request, view: Any) -> bool:
        is_off = api_settings.DEFAULT_THROTTLE_RATES[view.throttle_scope] is None
        if is_off or request.method not in SAFE_METHODS or request.user.is_authenticated:
            return True
        return super().allow_request(request, view)


class CustomerThrottle(CountingThrottle):
    """Counts by the signed-in account, or by the guest."""

    def ident(self, request: Request) -> str | None:
        return f"account:{request.user.pk}" if request.user.is_authenticated else f"guest:{request.auth.pk}"

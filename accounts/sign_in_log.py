"""Logs each check of a password or of a code. No other log records a client's address."""

import logging

from django.http import HttpRequest

from accounts.models import User
from productbackend.api.clients import client_address
from productbackend.observability.access_log import route_of
from productbackend.observability.metrics.counters import count_sign_in

logger = logging.getLogger("accounts.sign_in")


def record(request: HttpRequest | None, user: User | None, result: str, *, what: str = "Password") -> None:
    """Log and count one check: account, client address, and `success`, `failure` or `throttled`, but not the input."""
    route = route_of(request) if request is not None else "(none)"
    fields = {"account": user.pk if user else None, "client": client_address(request), "route": route, "result": result}
    account = f"account {user.pk}" if user else "no account"
    level = logging.INFO if result == "success" else logging.WARNING
    logger.log(
        level, "%s at %s: %s, %s, from %s", what, route, result, account, fields["client"], extra={"fields": fields}
    )
    count_sign_in(route, result)

"""Whether this host and those beside it agree on the time: claims, tokens and throttles compare it."""

import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime

from django.db import connection

from productbackend.doctor.database import rows
from productbackend.doctor.findings import Finding, Findings, bad, good, warn
from productbackend.doctor.redis import cache_client
from productbackend.doctor.site import Site

NEAR, FAR = 2.0, 30.0  # seconds


def database() -> Findings:
    if connection.vendor == "sqlite":
        return
    connection.ensure_connection()
    yield compared(lambda: float(rows("SELECT UNIX_TIMESTAMP(NOW(6))")[0][0]), "the database's")


def redis() -> Findings:
    client = cache_client()
    if client is None:
        return
    client.ping()

    def told() -> float:
        seconds, micros = client.time()
        return float(seconds + micros / 1e6)

    yield compared(told, "Redis's")


def site(site: Site) -> Findings:
    """Of a web host, or of what answers for it; to the second, of which half has passed on average."""

    def told() -> float:
        return parsedate_to_datetime(site.get("/health/live/").headers["Date"]).timestamp() + 0.5

    yield compared(told, "the site's")


def compared(told: Callable[[], float], whose: str) -> Finding:
    before = time.time()
    theirs = told()
    after = time.time()
    ahead = theirs - (before + after) / 2
    # What took long to come may have been right when it was told.
    off = max(0.0, abs(ahead) - (after - before) / 2)
    words = f"{whose} clock and this host's are {abs(ahead):.1f} s apart"
    if off <= NEAR:
        return good(words)
    return (bad if off > FAR else warn)(f"{words}: let both follow a time server (timedatectl set-ntp true)")

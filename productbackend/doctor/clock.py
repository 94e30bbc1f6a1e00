"""Compares the clocks of the hosts: claims, tokens and throttles depend on them."""

import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime

from django.db import connection

from productbackend.doctor.database import rows
from productbackend.doctor.findings import Finding, Findings, bad, good, warn
from productbackend.doctor.redis import cache_client
from productbackend.doctor.site import Site

SKEW_WARN, SKEW_BAD = 2.0, 30.0  # seconds


def database() -> Findings:
    if connection.vendor == "sqlite":
        return
    connection.ensure_connection()
    yield compare(lambda: float(rows("SELECT UNIX_TIMESTAMP(NOW(6))")[0][0]), "the database's")


def redis() -> Findings:
    client = cache_client()
    if client is None:
        return
    client.ping()

    def read_clock() -> float:
        seconds, micros = client.time()
        return float(seconds + micros / 1e6)

    yield compare(read_clock, "Redis's")


def site(site: Site) -> Findings:
    """The clock of the web host or its proxy, from the Date header: in whole seconds, so 0.5 on average is added."""

    def read_clock() -> float:
        return parsedate_to_datetime(site.get("/health/live/").headers["Date"]).timestamp() + 0.5

    yield compare(read_clock, "the site's")


def compare(read_clock: Callable[[], float], owner: str) -> Finding:
    before = time.time()
    theirs = read_clock()
    after = time.time()
    offset = theirs - (before + after) / 2
    # Half of the round trip is the uncertainty of the measurement.
    skew = max(0.0, abs(offset) - (after - before) / 2)
    text = f"{owner} clock and this host's differ by {abs(offset):.1f} s"
    if skew <= SKEW_WARN:
        return good(text)
    return (bad if skew > SKEW_BAD else warn)(f"{text}: synchronize both by NTP (timedatectl set-ntp true)")

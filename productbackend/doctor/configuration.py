"""The settings, as this process has them."""

import re
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.http.request import validate_host

from productbackend.doctor.findings import Findings, bad, good, warn

LOOPBACK = {"localhost", "127.0.0.1", "::1"}
WORDS = re.compile("secret|password|insecure|change|example", re.IGNORECASE)
RANDOM = "make one by openssl rand -base64 36"
# Of Django's own, those that are looked at here more closely: SECRET_KEY, DEBUG, ALLOWED_HOSTS.
ELSEWHERE = {"security.W009", "security.W018", "security.W020"}

TAGS = [checks.Tags.security, checks.Tags.caches, checks.Tags.files, checks.Tags.staticfiles]


def debug() -> Findings:
    if settings.DEBUG:
        yield bad("it is on, and shows strangers the settings and the source: DEBUG=false")
    else:
        yield good("off")


def secrets() -> Findings:
    """Whether the keys look as if they were made at random; their values are never shown."""
    for name in ("SECRET_KEY", "JWT_SIGNING_KEY"):
        key = getattr(settings, name)
        if len(set(key)) < 12 or WORDS.search(key):
            yield bad(f"{name} can be guessed: {RANDOM}")
        elif not re.search("[0-9]", key):
            yield warn(f"{name} reads like words: {RANDOM}")
        else:
            yield good(f"{name} has {len(key)} characters that look random")


def hosts() -> Findings:
    host = urlsplit(settings.SITE_URL).hostname or ""
    if "*" in settings.ALLOWED_HOSTS:
        yield bad(f"any name is taken, so that a forged one gets into links: ALLOWED_HOSTS={host}")
    elif not validate_host(host, settings.ALLOWED_HOSTS):
        yield bad(f"{host}, the host of SITE_URL, is not among them: add it to ALLOWED_HOSTS")
    else:
        yield good(", ".join(settings.ALLOWED_HOSTS))


def site_url() -> Findings:
    host = urlsplit(settings.SITE_URL).hostname
    if settings.HTTPS:
        yield good(settings.SITE_URL)
    elif host in LOOPBACK:
        yield warn(f"{settings.SITE_URL} is for this machine alone: set SITE_URL to the shop's address, with https://")
    else:
        yield bad(
            f"{settings.SITE_URL}: passwords and tokens travel in the clear; end TLS before the service, and "
            "set SITE_URL to the https:// address"
        )


def proxies() -> Findings:
    """What can be seen of it in the settings; `links` sees whether it is true."""
    if settings.NUM_PROXIES:
        yield good(f"{settings.NUM_PROXIES} of our own before the service")
    elif settings.HTTPS:
        yield bad("with https:// in SITE_URL something before the service ends TLS: count it, NUM_PROXIES=1")
    else:
        yield warn("none: all clients are throttled as one if a proxy is there after all; NUM_PROXIES counts them")


def django() -> Findings:
    """What `manage.py check --deploy` says of the settings; models and the API's document are the developers'."""
    found = checks.run_checks(tags=TAGS, include_deployment_checks=True)
    told = [each for each in found if not each.is_silenced() and each.id not in ELSEWHERE]
    for each in told:
        yield (bad if each.level >= checks.ERROR else warn)(f"{each.id}: {' '.join(each.msg.split())}")
    if not told:
        yield good("manage.py check --deploy has nothing to say")

"""Django system checks of the settings: `manage.py check --deploy` runs them, and so does `manage.py doctor`."""

import re
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, Warning
from django.http.request import validate_host

from productbackend.doctor.findings import Findings, bad, good, warn

LOOPBACK = {"localhost", "127.0.0.1", "::1"}
WORDS = re.compile("secret|password|insecure|change|example", re.IGNORECASE)
RANDOM = "Generate one by openssl rand -base64 36."


@checks.register(Tags.security, deploy=True)
def check_debug(**kwargs: Any) -> list[CheckMessage]:
    if not settings.DEBUG:
        return []
    text = "DEBUG is on, and error pages expose settings and source code."
    return [Error(text, hint="Set DEBUG=false.", id="productbackend.E001")]


@checks.register(Tags.security, deploy=True)
def check_keys(**kwargs: Any) -> list[CheckMessage]:
    """Whether the keys look random. Their values are never shown."""
    found: list[CheckMessage] = []
    for name in ("SECRET_KEY", "JWT_SIGNING_KEY"):
        key = getattr(settings, name)
        if len(set(key)) < 12 or WORDS.search(key):
            found.append(Error(f"{name} can be guessed.", hint=RANDOM, id="productbackend.E002"))
        elif not re.search("[0-9]", key):
            found.append(Warning(f"{name} consists of words.", hint=RANDOM, id="productbackend.W001"))
    return found


@checks.register(Tags.security, deploy=True)
def check_hosts(**kwargs: Any) -> list[CheckMessage]:
    host = urlsplit(settings.SITE_URL).hostname or ""
    if "*" in settings.ALLOWED_HOSTS:
        text = "ALLOWED_HOSTS has *: any Host header is accepted, and a forged one gets into links."
        return [Error(text, hint=f"Set ALLOWED_HOSTS={host}.", id="productbackend.E003")]
    if not validate_host(host, settings.ALLOWED_HOSTS):
        text = f"{host}, the host of SITE_URL, is not in ALLOWED_HOSTS."
        return [Error(text, hint="Add it.", id="productbackend.E004")]
    return []


@checks.register(Tags.security, deploy=True)
def check_site_url(**kwargs: Any) -> list[CheckMessage]:
    if settings.HTTPS:
        return []
    if urlsplit(settings.SITE_URL).hostname in LOOPBACK:
        text = f"SITE_URL {settings.SITE_URL} works on this machine only."
        return [Warning(text, hint="Set SITE_URL to the shop's https:// address.", id="productbackend.W002")]
    text = f"SITE_URL is {settings.SITE_URL}: passwords and tokens are sent unencrypted."
    hint = "Terminate TLS in front of the service, and set SITE_URL to the https:// address."
    return [Error(text, hint=hint, id="productbackend.E005")]


@checks.register(Tags.security, deploy=True)
def check_proxies(**kwargs: Any) -> list[CheckMessage]:
    """Whether NUM_PROXIES is plausible; doctor's `links` verifies it."""
    if settings.NUM_PROXIES:
        return []
    if settings.HTTPS:
        text = "With https:// in SITE_URL a proxy terminates TLS, but NUM_PROXIES is 0."
        return [Error(text, hint="Count it: NUM_PROXIES=1.", id="productbackend.E006")]
    text = "NUM_PROXIES is 0: behind a proxy all clients would be throttled as one."
    return [Warning(text, hint="Set NUM_PROXIES to the number of proxies.", id="productbackend.W003")]


def system_checks() -> Findings:
    """The messages of `manage.py check --deploy` about settings, without those about models and the document."""
    tags = [Tags.security, Tags.caches, Tags.files, Tags.staticfiles]
    found = [each for each in checks.run_checks(tags=tags, include_deployment_checks=True) if not each.is_silenced()]
    for each in found:
        text = " ".join(f"{each.msg} {each.hint or ''}".split())
        yield (bad if each.level >= checks.ERROR else warn)(f"{each.id}: {text}")
    if not found:
        yield good("manage.py check --deploy reports nothing")

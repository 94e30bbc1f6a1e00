"""Checks the site over HTTP, as clients reach it, through its proxies."""

import http.client
import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from email.message import Message
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage

from productbackend.doctor.findings import Findings, Unreachable, bad, brief, good
from productbackend.observability.metrics import exposition

TIMEOUT = 8
BODY_MAX = 1_000_000


@dataclass(frozen=True)
class SiteResponse:
    status: int
    headers: Message
    body: bytes


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any) -> None:
        """Return redirects as responses instead of following them."""


class Site:
    """An HTTP client of the shop at SITE_URL or at `url`, such as the proxy's address in the internal network."""

    def __init__(self, url: str = "") -> None:
        self.url = url.rstrip("/") or settings.SITE_URL
        self.has_other_url = self.url != settings.SITE_URL
        # Without the outbound proxy of this process's environment.
        self.opener = urllib.request.build_opener(_NoRedirects, urllib.request.ProxyHandler({}))

    def get(self, path: str, **headers: str) -> SiteResponse:
        """Request a path or an absolute URL. Raises Unreachable."""
        address = path if "://" in path else f"{self.url}{path}"
        request = urllib.request.Request(address, headers={"Accept": "application/json"} | headers)  # noqa: S310
        if self.has_other_url and address.startswith(self.url):
            # The headers that the bypassed proxy would set.
            request.add_header("Host", urlsplit(settings.SITE_URL).netloc)
            request.add_header("X-Forwarded-Proto", urlsplit(settings.SITE_URL).scheme)
        for name, value in headers.items():
            request.add_header(name, value)
        try:
            with self.opener.open(request, timeout=TIMEOUT) as response:
                return SiteResponse(response.status, response.headers, response.read(BODY_MAX))
        except urllib.error.HTTPError as error:
            return SiteResponse(error.code, error.headers, error.read(BODY_MAX))
        except urllib.error.URLError as error:
            reason = error.reason
            raise Unreachable(brief(reason) if isinstance(reason, Exception) else str(reason)) from error
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(brief(error)) from error


def ready(site: Site) -> Findings:
    """Whether the web processes reach the database, the cache and the broker."""
    try:
        answer = site.get("/health/ready/")
    except Unreachable as error:
        yield bad(
            f"{site.url}: {error}; are web and the proxy running? If SITE_URL is unreachable from this host, use the "
            "proxy's internal address: --url http://proxy"
        )
        return
    body = " ".join(answer.body[:200].decode(errors="replace").split())
    if answer.status == 200 and '"status":"ok"' in body.replace(" ", ""):
        yield good(f"{site.url} is ready")
    elif answer.status == 400:
        yield bad(
            f"{site.url} rejects its own host: add the host of SITE_URL to ALLOWED_HOSTS, and make the proxy forward "
            "the Host header"
        )
    else:
        yield bad(f"{site.url}/health/ready/ responds {answer.status} {body}; see the logs of web and proxy")


def links(site: Site) -> Findings:
    """Whether the service uses the proxy's Host and X-Forwarded-Proto, and ignores a client's own."""
    remedy = "make the proxy set Host and X-Forwarded-Proto, and count it in NUM_PROXIES"
    answer = site.get("/")
    if answer.status in (301, 302, 307, 308):
        yield bad(f"{site.url}/ redirects to {answer.headers.get('Location')} in a loop: {remedy}")
    elif not (link := _link(answer)).startswith(f"{settings.SITE_URL}/"):
        yield bad(f"they are {link or answer.status} and not below SITE_URL: {remedy}")
    elif not site.has_other_url and _forged(site) != link:
        yield bad(
            "a client's own X-Forwarded-Proto is trusted, and so is its X-Forwarded-For, by which throttles count: "
            "NUM_PROXIES is larger than the number of proxies"
        )
    else:
        yield good(f"they are below {settings.SITE_URL}, and forged headers are ignored")


def _link(answer: SiteResponse) -> str:
    return str(json.loads(answer.body)["documentation"]) if answer.status == 200 else ""


def _forged(site: Site) -> str:
    other = "http" if settings.HTTPS else "https"
    return _link(site.get("/", **{"X-Forwarded-Proto": other}))


def metrics(site: Site) -> Findings:
    """Whether the proxy hides /metrics. Prometheus reads it from the processes directly."""
    if not settings.NUM_PROXIES:
        return  # without a proxy this host reads the metrics directly, as Prometheus does
    if site.get(exposition.PATH).status == 200:
        yield bad(f"{site.url}{exposition.PATH} is public: make the proxy respond 404, see deploy/nginx")
    else:
        yield good("not public")


def static_files(site: Site) -> Findings:
    try:
        path = staticfiles_storage.url("admin/css/base.css")
    except ValueError:
        yield bad(f"they were not collected into {settings.STATIC_ROOT}: manage.py collectstatic --no-input")
        return
    answer = site.get(path)
    if answer.status == 200:
        yield good("served")
    else:
        yield bad(f"{site.url}{path} responds {answer.status}: is web of the same release as this process?")

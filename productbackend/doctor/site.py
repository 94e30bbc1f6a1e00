"""The service as clients reach it: through whatever stands before it."""

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
from productbackend.metrics import exposition

TIMEOUT = 8
BODY_MAX = 1_000_000


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Message
    body: bytes


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any) -> None:
        """A redirect is an answer too."""


class Site:
    """The shop at SITE_URL, or as seen at `url`, such as the proxy's own address inside."""

    def __init__(self, url: str = "") -> None:
        self.url = url.rstrip("/") or settings.SITE_URL
        self.is_elsewhere = self.url != settings.SITE_URL
        # Straight there, whatever proxy this process's environment names for the world outside.
        self.opener = urllib.request.build_opener(_Stay, urllib.request.ProxyHandler({}))

    def get(self, path: str, **headers: str) -> Answer:
        """What a path, or an address elsewhere, answers. Raises Unreachable."""
        address = path if "://" in path else f"{self.url}{path}"
        request = urllib.request.Request(address, headers={"Accept": "application/json"} | headers)  # noqa: S310
        if self.is_elsewhere and address.startswith(self.url):
            # As the proxy that is left out would hand the request on.
            request.add_header("Host", urlsplit(settings.SITE_URL).netloc)
            request.add_header("X-Forwarded-Proto", urlsplit(settings.SITE_URL).scheme)
        for name, value in headers.items():
            request.add_header(name, value)
        try:
            with self.opener.open(request, timeout=TIMEOUT) as response:
                return Answer(response.status, response.headers, response.read(BODY_MAX))
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.headers, error.read(BODY_MAX))
        except urllib.error.URLError as error:
            reason = error.reason
            raise Unreachable(brief(reason) if isinstance(reason, Exception) else str(reason)) from error
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(brief(error)) from error


def answers(site: Site) -> Findings:
    """Nobody else here says that the web processes too reach database, cache and queue."""
    try:
        answer = site.get("/health/ready/")
    except Unreachable as error:
        yield bad(
            f"{site.url}: {error}; is web running, and the proxy? Where SITE_URL leads nowhere from in here, name "
            "the proxy as it is called inside: --url http://proxy"
        )
        return
    said = " ".join(answer.body[:200].decode(errors="replace").split())
    if answer.status == 200 and '"status":"ok"' in said.replace(" ", ""):
        yield good(f"{site.url} is ready")
    elif answer.status == 400:
        yield bad(
            f"{site.url} does not know its own name: add the host of SITE_URL to ALLOWED_HOSTS, and let the "
            "proxy hand on Host"
        )
    else:
        yield bad(f"{site.url}/health/ready/ answers {answer.status} {said}; see the logs of web and proxy")


def links(site: Site) -> Findings:
    """Whether the service learns from the proxy where clients think that they are, and from nobody else."""
    handed_on = "the proxy has to set Host and X-Forwarded-Proto, and NUM_PROXIES to count it"
    answer = site.get("/")
    if answer.status in (301, 302, 307, 308):
        yield bad(f"{site.url}/ is sent to {answer.headers.get('Location')}, without end: {handed_on}")
    elif not (link := _link(answer)).startswith(f"{settings.SITE_URL}/"):
        yield bad(f"they lead to {link or answer.status} and not to SITE_URL: {handed_on}")
    elif not site.is_elsewhere and _forged(site) != link:
        yield bad(
            "a client's own X-Forwarded-Proto is believed, and so its X-Forwarded-For, by which throttles count: "
            "NUM_PROXIES counts more proxies than there are"
        )
    else:
        yield good(f"they lead to {settings.SITE_URL}, and forged headers change nothing")


def _link(answer: Answer) -> str:
    return str(json.loads(answer.body)["products"]) if answer.status == 200 else ""


def _forged(site: Site) -> str:
    other = "http" if settings.HTTPS else "https"
    return _link(site.get("/", **{"X-Forwarded-Proto": other}))


def metrics(site: Site) -> Findings:
    """They are for Prometheus, which asks the processes themselves, and not for those who come by the proxy."""
    if not settings.NUM_PROXIES:
        return  # from here the service itself is asked, and rightly answers
    if site.get(exposition.PATH).status == 200:
        yield bad(f"{site.url}{exposition.PATH} is for anyone to read: let the proxy answer 404, see deploy/nginx")
    else:
        yield good("not to be read from outside")


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
        yield bad(f"{site.url}{path} answers {answer.status}: has web the same release as this process?")

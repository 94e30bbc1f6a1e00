"""The sitemap and the feed over HTTP: for anyone, one statement each, and the files as they were published."""

import threading
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.http import HttpResponse, HttpResponseNotModified, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import http_date, parse_http_date_safe
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from backoffice.exports import downloads
from backoffice.feeds import addresses, files, google, sitemap
from backoffice.feeds.models import FeedBuild
from productbackend.api.conditional import PUBLIC, matches
from productbackend.api.fields import HelpText
from productbackend.api.openapi.schema import problem
from productbackend.api.renderers import Negotiation, ProblemsMixin
from productbackend.api.views import OpenView
from productbackend.errors import DomainError

AT_A_TIME = 2  # of the eight threads of a web process; a front end and a search engine read a file once a day
BUSY = f"{AT_A_TIME} files are being read here already: try again in a minute."
WHEN = "They are written each hour; a 404 if `SHOP_PRODUCT_URL` is not set, or they were never written."

running = threading.BoundedSemaphore(AT_A_TIME)


class XMLRenderer(BaseRenderer):
    """Names the media type. The view writes the file; errors are JSON."""

    media_type, format, charset = "application/xml", "xml", "utf-8"


class AnyAccept(Negotiation):
    """There is one format, whatever `Accept` says."""

    def get_accept_list(self, request: Request) -> list[str]:
        return ["*/*"]


class FileView(ProblemsMixin, OpenView):
    """A file that everyone may read."""

    tag = "feeds"
    etags = {"GET"}
    renderer_classes = [XMLRenderer]
    content_negotiation_class = AnyAccept
    format_help = "`xml`, which is the only one."

    def published(self) -> FeedBuild:
        """The build that is served. Raises NotFound."""
        build: FeedBuild | None = FeedBuild.published().first() if addresses.is_on() else None
        if build is None:
            raise NotFound("The shop has no sitemap and no feed, or they were not written yet.")
        return build

    def respond(self, request: Request, build: FeedBuild, body: bytes | Iterator[bytes], size: int) -> HttpResponseBase:
        """The file, or a 304 if the client has it; without a body for HEAD. Raises DomainError `unavailable`."""
        headers = {
            "ETag": f'"{build.token}"',
            "Last-Modified": http_date(build.published_at.timestamp()),  # type: ignore[union-attr]
            "Cache-Control": PUBLIC,
        }
        if has_it(request, build):
            return HttpResponseNotModified(headers=headers)
        headers |= {"Content-Length": str(size), "X-Content-Type-Options": "nosniff"}
        content_type = f"{XMLRenderer.media_type}; charset={XMLRenderer.charset}"
        if isinstance(body, bytes) or request.method == "HEAD":
            return HttpResponse(body if request.method == "GET" else b"", content_type=content_type, headers=headers)
        try:
            download = downloads.Download(body, limit=running, busy=BUSY)
        except FileNotFoundError as error:
            raise DomainError("unavailable", "The file is gone: it is written again within the hour.") from error
        downloads.limit_waiting(request)
        return StreamingHttpResponse(download, content_type=content_type, headers=headers)


def has_it(request: Request, build: FeedBuild) -> bool:
    """Whether the client has the files of this build: RFC 9110, 13.2.2."""
    tags = request.headers.get("If-None-Match")
    if tags is not None:
        return matches(tags, f'"{build.token}"')
    since = parse_http_date_safe(request.headers.get("If-Modified-Since", ""))
    return since is not None and int(build.published_at.timestamp()) <= since  # type: ignore[union-attr]


def described(operation_id: str, summary: str, description: str) -> Any:
    return extend_schema(
        operation_id=operation_id,
        summary=summary,
        description=f"{description} {WHEN}",
        responses={(200, XMLRenderer.media_type): OpenApiTypes.STR, 404: problem("not-found")},
    )


class SitemapIndexView(FileView):
    @described("sitemap", "Read the sitemap", "The index of the sitemap's parts, as sitemaps.org describes it.")
    def get(self, request: Request) -> HttpResponseBase:
        build = self.published()
        body = sitemap.index(datetime.fromisoformat(changed) for _, changed in build.parts).encode()
        return self.respond(request, build, body, len(body))


class SitemapPartView(FileView):
    path_help = {"part": HelpText("The number of the part, from 1.", 1)}

    @described(
        "sitemap_part",
        "Read a part of the sitemap",
        "The pages of up to 50,000 products that are on sale, by `SHOP_PRODUCT_URL`. `lastmod` is when the product or "
        "its pictures were changed; a sale does not move it.",
    )
    def get(self, request: Request, part: int) -> HttpResponseBase:
        build = self.published()
        if not 1 <= part <= len(build.parts):
            raise NotFound("The sitemap has no part of this number.")
        chunks = files.chunks([files.part_name(build.token, part)])
        return self.respond(request, build, chunks, build.parts[part - 1][0])


class GoogleView(FileView):
    @described(
        "feeds_google",
        "Read the feed for Google",
        "The products that are on sale, as RSS 2.0 with the attributes that Google Merchant Center requires. Without "
        "those that it would refuse: products that have no picture or no price.",
    )
    def get(self, request: Request) -> HttpResponseBase:
        build = self.published()
        head, tail = google.head().encode(), google.TAIL.encode()
        names = [files.piece_name(build.token, number + 1) for number in range(len(build.pieces))]
        size = len(head) + sum(build.pieces) + len(tail)
        return self.respond(request, build, around(head, files.chunks(names), tail), size)


def around(head: bytes, chunks: Iterator[bytes], tail: bytes) -> Iterator[bytes]:
    """The first chunk with the head, the others, and the tail: errors of the first one come before any byte is sent."""
    yield head + next(chunks, b"")
    yield from chunks
    yield tail

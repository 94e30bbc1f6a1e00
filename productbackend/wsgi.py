"""The WSGI application."""

import os
import tempfile
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import Any

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "productbackend.settings")

django = get_wsgi_application()

from productbackend.api import fast_path  # noqa: E402  (needs apps)
from productbackend.api.limits import DRAIN_MAX_BYTES, REFUSED, body_max, content_type_error  # noqa: E402

CHUNK = 65_536


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Django's application behind the fast path, protected from Content-Types and bodies that it cannot handle.

    Django parses the Content-Type before any middleware, in quadratic time, and fails on some: RequestLimits rejects
    these. It ignores a body without a length: such a chunked body is read here, up to its limit.
    """
    if (value := environ.get("CONTENT_TYPE")) and (fault := content_type_error(value)):
        environ |= {"CONTENT_TYPE": "", REFUSED: fault}
    if not environ.get("HTTP_TRANSFER_ENCODING") or not environ.get("wsgi.input_terminated"):
        return fast_path.respond(environ, start_response, django)
    with ExitStack() as files:
        body = files.enter_context(tempfile.SpooledTemporaryFile(CHUNK))  # on disk above one chunk
        environ["CONTENT_LENGTH"] = str(_copy(environ["wsgi.input"], body, body_max(environ.get("CONTENT_TYPE", ""))))
        del environ["HTTP_TRANSFER_ENCODING"]
        body.seek(0)
        environ["wsgi.input"] = body
        response: Iterable[bytes] = django(environ, start_response)
        return response


def _copy(source: Any, target: Any, limit: int) -> int:
    """Copy up to `limit` + 1 bytes and discard the remaining ones; return the number of bytes in `target`."""
    copied = drained = 0
    while drained < DRAIN_MAX_BYTES and (chunk := source.read(CHUNK)):
        part = chunk[: limit + 1 - copied]
        target.write(part)
        copied += len(part)
        drained += len(chunk) - len(part)
    return copied

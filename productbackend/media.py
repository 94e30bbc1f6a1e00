"""Serves /media/ where no web server does: renditions, and nothing else that lies beside them."""

import re

from django.conf import settings
from django.core.files.storage import default_storage
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

TYPES = {"jpg": "image/jpeg", "png": "image/png", "webp": "image/webp", "gif": "image/gif", "avif": "image/avif"}
# Also of a rendition that the settings want no more: its rows name it until `manage.py rebuild_images`.
NAME = re.compile(rf"products/[0-9a-f]{{2}}/[0-9a-f]{{32}}-[a-z][a-z0-9]{{0,19}}\.({'|'.join(TYPES)})")
RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


@require_safe
def rendition(request: HttpRequest, path: str) -> HttpResponse:
    """One rendition, whole or a range of it. Any other name, such as an original's, is a 404."""
    if not NAME.fullmatch(path):
        raise Http404
    try:
        with default_storage.open(path) as file:
            data = file.read()  # tens of kilobytes
    except FileNotFoundError:
        raise Http404 from None
    tag = f'"{path.rpartition("/")[2]}"'
    response = _part(request, data, tag) or HttpResponse(data)
    if response.status_code in (200, 206):
        response["Content-Type"] = TYPES[path.rpartition(".")[2]]
    response["ETag"] = tag
    response["Accept-Ranges"] = "bytes"
    response["Cache-Control"] = settings.MEDIA_CACHE_CONTROL
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return get_conditional_response(request, tag, response=response) or response


def _part(request: HttpRequest, data: bytes, tag: str) -> HttpResponse | None:
    """The answer to a request for one range; None where the whole is due: several ranges, or another file's."""
    wanted = RANGE.fullmatch(request.headers.get("Range", "").strip())
    if wanted is None or wanted.groups() == ("", "") or request.headers.get("If-Range", tag) != tag:
        return None
    first, last = wanted.groups()
    start = int(first) if first else max(0, len(data) - int(last))
    end = min(int(last) + 1, len(data)) if first and last else len(data)
    if first and last and int(last) < int(first):
        return None  # no range at all, says RFC 9110
    if start >= len(data):
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{len(data)}"})
    headers = {"Content-Range": f"bytes {start}-{end - 1}/{len(data)}"}
    return HttpResponse(data[start:end], status=206, headers=headers)

"""Serves renditions at /media/ if no web server does, and no other file in the same folder."""

import re

from django.conf import settings
from django.core.files.storage import default_storage
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

TYPES = {"jpg": "image/jpeg", "png": "image/png", "webp": "image/webp", "gif": "image/gif", "avif": "image/avif"}
FOLDERS: set[str] = set()  # of renditions; apps add theirs in `ready()`
OTHER_FOLDERS: set[str] = set()  # of files that are no pictures, in the same storages; apps add theirs in `ready()`
# Includes renditions that the settings no longer have: rows refer to them until `manage.py rebuild_images`.
NAME = re.compile(rf"[0-9a-f]{{2}}/[0-9a-f]{{32}}-[a-z][a-z0-9]{{0,19}}\.({'|'.join(TYPES)})")
RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


@require_safe
def rendition(request: HttpRequest, path: str) -> HttpResponse:
    """Respond with a rendition or a range of it. Any other name, such as an original's, is a 404."""
    folder, _, name = path.partition("/")
    if folder not in FOLDERS or not NAME.fullmatch(name):
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
    """The response to a request for one range; None if the whole file is sent: several ranges, or a stale If-Range."""
    wanted = RANGE.fullmatch(request.headers.get("Range", "").strip())
    if wanted is None or wanted.groups() == ("", "") or request.headers.get("If-Range", tag) != tag:
        return None
    first, last = wanted.groups()
    start = int(first) if first else max(0, len(data) - int(last))
    end = min(int(last) + 1, len(data)) if first and last else len(data)
    if first and last and int(last) < int(first):
        return None  # an invalid range, by RFC 9110
    if start >= len(data):
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{len(data)}"})
    headers = {"Content-Range": f"bytes {start}-{end - 1}/{len(data)}"}
    return HttpResponse(data[start:end], status=206, headers=headers)

"""The files of pictures: written here, and read where customers read them."""

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, storages

from productbackend.doctor.findings import Findings, bad, brief, good, warn
from productbackend.doctor.site import Site
from productbackend.errors import FileStoreUnavailable

ENOUGH, LITTLE = 5_000_000_000, 1_000_000_000  # bytes
RENDITIONS, ORIGINALS = "default", "originals"


@contextmanager
def stored(where: str) -> Iterator[tuple[str, bytes]]:
    """A file under a name of the kind that pictures have, for a moment. What a kill leaves, check_media removes."""
    token = secrets.token_hex(16)
    name = f"products/{token[:2]}/{token}{'-doctor' if where == RENDITIONS else ''}.png"
    data = b"\x89PNG\r\n\x1a\n" + token.encode()
    storages[where].save(name, ContentFile(data))
    try:
        yield name, data
    finally:
        storages[where].delete(name)


def written() -> Findings:
    for where in (RENDITIONS, ORIGINALS):
        place = getattr(storages[where], "place", where)
        try:
            with stored(where) as (name, data), storages[where].open(name) as file:
                read = file.read()
        except (OSError, FileStoreUnavailable) as error:
            yield bad(f"{place}: {brief(error.__cause__ or error)}; is it there, and may the service write to it?")
        else:
            yield (
                good(f"a file was written in {place}, read and removed")
                if read == data
                else bad(f"{place}: a file is not what was written into it")
            )


def served(site: Site) -> Findings:
    """A rendition has to be there for anyone, as it was written here."""
    with stored(RENDITIONS) as (name, data):
        url = storages[RENDITIONS].url(name)
        answer = site.get(url)
    if answer.status == 200 and answer.body == data:
        yield good("a file that was written here is served")
    else:
        yield bad(
            f"a file that was written here answers {answer.status} at {url}: has what serves it another disk or "
            "bucket, or may it not read this one?"
        )


def originals(site: Site) -> Findings:
    """What was uploaded is for staff: it may hold what a rendition does not, such as where it was taken."""
    with stored(ORIGINALS) as (name, data):
        answers = {url: site.get(url) for url in addresses(name)}
    open_to_all = [url for url, answer in answers.items() if answer.status == 200 or answer.body == data]
    for url in open_to_all:
        yield bad(f"{url} is served to anyone: renditions alone may be, see deploy/nginx and docs/media.md")
    if not open_to_all:
        yield good("not served")


def addresses(name: str) -> list[str]:
    """Where a stranger would try an original: beside the renditions, and in its own bucket without a signature."""
    found = {f"/media/{name}", f"{settings.MEDIA_URL}{name}"}
    client: Any = getattr(storages[ORIGINALS], "client", None)
    if client is not None:
        of_it = {"Bucket": settings.S3_ORIGINALS_BUCKET, "Key": name}
        found.add(client.generate_presigned_url("get_object", Params=of_it).partition("?")[0])
    return sorted(found)


def disk() -> Findings:
    if not isinstance(storages[ORIGINALS], FileSystemStorage):
        return
    free = shutil.disk_usage(settings.DATA_DIR).free
    words = f"{free / 1e9:.1f} GB free for pictures in {settings.MEDIA_ROOT}"
    if free < LITTLE:
        yield bad(f"{words}: make room, or uploads will fail; manage.py check_media --delete removes what is no one's")
    elif free < ENOUGH:
        yield warn(f"{words}: make room soon")
    else:
        yield good(words)

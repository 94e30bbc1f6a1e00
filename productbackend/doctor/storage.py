"""Checks the file storages: writes files here, and reads them by the public URLs."""

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
from productbackend.storages.media import FOLDERS

WARN_FREE_BYTES, BAD_FREE_BYTES = 5_000_000_000, 1_000_000_000
RENDITIONS, ORIGINALS = "default", "originals"


@contextmanager
def stored(alias: str) -> Iterator[tuple[str, bytes]]:
    """Store a temporary file under a name like an image's. If the process is killed, check_media removes the file."""
    token = secrets.token_hex(16)
    name = f"{min(FOLDERS)}/{token[:2]}/{token}{'-doctor' if alias == RENDITIONS else ''}.png"
    data = b"\x89PNG\r\n\x1a\n" + token.encode()
    storages[alias].save(name, ContentFile(data))
    try:
        yield name, data
    finally:
        storages[alias].delete(name)


def writable() -> Findings:
    for alias in (RENDITIONS, ORIGINALS):
        root = getattr(storages[alias], "root", alias)
        try:
            with stored(alias) as (name, data), storages[alias].open(name) as file:
                read = file.read()
        except (OSError, FileStoreUnavailable) as error:
            yield bad(f"{root}: {brief(error.__cause__ or error)}; does it exist, and may the service write to it?")
        else:
            yield (
                good(f"a file was written in {root}, read and deleted")
                if read == data
                else bad(f"{root}: a file has other content than was written")
            )


def served(site: Site) -> Findings:
    """Whether a rendition that is written here is public at its URL."""
    with stored(RENDITIONS) as (name, data):
        url = storages[RENDITIONS].url(name)
        answer = site.get(url)
    if answer.status == 200 and answer.body == data:
        yield good("a file that was written here is served")
    else:
        yield bad(
            f"a file that was written here responds {answer.status} at {url}: does the server use another disk or "
            "bucket, or lack permission to read this one?"
        )


def originals(site: Site) -> Findings:
    """Whether originals are private: they may hold metadata that renditions do not, such as coordinates."""
    with stored(ORIGINALS) as (name, data):
        answers = {url: site.get(url) for url in addresses(name)}
    open_to_all = [url for url, answer in answers.items() if answer.status == 200 or answer.body == data]
    for url in open_to_all:
        yield bad(f"{url} is public: only renditions may be, see deploy/nginx and docs/media.md")
    if not open_to_all:
        yield good("not served")


def addresses(name: str) -> list[str]:
    """The URLs at which an original might be public: next to renditions, and in its bucket without a signature."""
    found = {f"/media/{name}", f"{settings.MEDIA_URL}{name}"}
    client: Any = getattr(storages[ORIGINALS], "client", None)
    if client is not None:
        params = {"Bucket": settings.S3_ORIGINALS_BUCKET, "Key": name}
        found.add(client.generate_presigned_url("get_object", Params=params).partition("?")[0])
    return sorted(found)


def disk() -> Findings:
    if not isinstance(storages[ORIGINALS], FileSystemStorage):
        return
    # In the container it is a volume of its own. It does not exist before the first picture.
    folders = (settings.MEDIA_ROOT, *settings.MEDIA_ROOT.parents)
    free = shutil.disk_usage(next(folder for folder in folders if folder.is_dir())).free
    text = f"{free / 1e9:.1f} GB free for pictures in {settings.MEDIA_ROOT}"
    if free < BAD_FREE_BYTES:
        yield bad(f"{text}: free disk space, or uploads will fail; manage.py check_media --delete removes orphans")
    elif free < WARN_FREE_BYTES:
        yield warn(f"{text}: free disk space soon")
    else:
        yield good(text)

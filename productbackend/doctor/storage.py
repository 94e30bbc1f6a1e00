"""The files of pictures: written here, and read where customers read them."""

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage

from productbackend.doctor.findings import Findings, bad, brief, good, warn
from productbackend.doctor.site import Site

ENOUGH, LITTLE = 5_000_000_000, 1_000_000_000  # bytes


@contextmanager
def stored(ending: str) -> Iterator[tuple[str, bytes]]:
    """A file under a name of the kind that pictures have, for a moment. What a kill leaves, check_media removes."""
    token = secrets.token_hex(16)
    data = b"\x89PNG\r\n\x1a\n" + token.encode()
    name = default_storage.save(f"products/{token[:2]}/{token}{ending}.png", ContentFile(data))
    try:
        yield name, data
    finally:
        default_storage.delete(name)


def written() -> Findings:
    try:
        with stored("-doctor") as (name, data), default_storage.open(name) as file:
            if file.read() != data:
                yield bad("a file is not what was written into it")
                return
    except OSError as error:
        yield bad(f"{brief(error)}; whose is the folder, and is it mounted here?")
    else:
        yield good("a file was written, read and removed")


def served(site: Site) -> Findings:
    """A rendition has to be there for anyone, as it was written here."""
    with stored("-doctor") as (name, data):
        url = default_storage.url(name)
        answer = site.get(url)
    if answer.status == 200 and answer.body == data:
        yield good("a file that was written here is served")
    else:
        yield bad(
            f"a file that was written here answers {answer.status} at {url}: has the web server another disk, "
            "or may it not read this one?"
        )


def originals(site: Site) -> Findings:
    """What was uploaded is for staff: it may hold what a rendition does not, such as where it was taken."""
    with stored("") as (name, data):
        public = default_storage.url(name).partition("?")[0]
        answers = {url: site.get(url) for url in (public, f"{settings.MEDIA_URL}{name}")}
    open_to_all = [url for url, answer in answers.items() if answer.body == data or answer.status == 200]
    for url in open_to_all:
        yield bad(f"{url} is served to anyone: the web server may hand out renditions alone, see deploy/nginx")
    if not open_to_all:
        yield good("not served")


def disk() -> Findings:
    if not isinstance(default_storage, FileSystemStorage):
        return
    free = shutil.disk_usage(settings.DATA_DIR).free
    words = f"{free / 1e9:.1f} GB free for pictures in {default_storage.location}"
    if free < LITTLE:
        yield bad(f"{words}: make room, or uploads will fail; manage.py check_media --delete removes what is no one's")
    elif free < ENOUGH:
        yield warn(f"{words}: make room soon")
    else:
        yield good(words)

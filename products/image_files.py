"""The files of images: their names, all of our own making, and how they come and go.

`products/ab/NAME.jpg` is an original, `products/ab/NAME-full.jpg` a rendition of it and
`products/ab/NAME-full.webp` the same in another format; NAME is 32 hexadecimal digits, made at random,
and `ab` its first two. Originals, which staff alone read, and renditions, which everyone may, have
each a storage of their own, which on a disk is one folder.
"""

import logging
import re
import secrets
from collections.abc import Iterable, Iterator
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile, File
from django.core.files.storage import storages

from productbackend.errors import FileStoreUnavailable
from productbackend.storage import PART
from products.models import ProductImage
from products.renditions import EXTENSIONS, Result

logger = logging.getLogger(__name__)

FOLDER = "products"
# Also of renditions that the settings knew once; their names have neither hyphen nor dot.
OURS = re.compile(
    rf"({FOLDER}/([0-9a-f]{{2}})/\2[0-9a-f]{{30}})(-[a-z][a-z0-9]*)?\.({'|'.join(EXTENSIONS.values())})({re.escape(PART)})?"
)


def new_name(extension: str) -> str:
    """A storage name that no file has."""
    name = secrets.token_hex(16)
    return f"{FOLDER}/{name[:2]}/{name}.{extension}"


def rendition_name(original: str, rendition: str, format: str | None = None) -> str:
    """The name in the original's own format, or in another."""
    stem, _, extension = original.rpartition(".")
    return f"{stem}-{rendition}.{EXTENSIONS[format] if format else extension}"


def made(image: ProductImage) -> list[str]:
    """The files that the row names: the original, and the renditions that were made of it."""
    files = [image.original]
    for rendition in image.renditions.values():
        files += [rendition["file"], *rendition.get("others", [])]
    return files


def possible(image: ProductImage) -> list[str]:
    """Every file that the image has or may have by now, whatever this instance knows of its renditions."""
    expected = {
        rendition_name(image.original, name, format)
        for name, wanted in settings.IMAGE_RENDITIONS.items()
        for format in (None, *wanted["formats"])
    }
    return [image.original, *sorted({*made(image)[1:], *expected})]


def write_renditions(original: str, result: Result) -> dict[str, Any]:
    """Write what was made of an original; returns what the row says of it."""
    described = {}
    for name, rendition in result.renditions.items():
        file = rendition_name(original, name)
        write(file, ContentFile(rendition.data))
        others = []
        for format, data in rendition.others.items():
            others.append(rendition_name(original, name, format))
            write(others[-1], ContentFile(data))
        described[name] = {"file": file, "width": rendition.width, "height": rendition.height, "others": others}
    return described


def storage_of(name: str) -> Any:
    """Where a file of this name is kept."""
    return storages["default" if "-" in name else "originals"]


def write(name: str, content: File) -> None:
    """Write a file whole or not at all. Raises FileStoreUnavailable."""
    storage_of(name).save(name, content)


def opened(name: str) -> File:
    """A file to read. Raises FileNotFoundError, FileStoreUnavailable."""
    file: File = storage_of(name).open(name)
    return file


def remove(names: Iterable[str]) -> None:
    """Remove files, and what an interrupted writing left of them. One that cannot be removed is logged."""
    for name in names:
        try:
            storage_of(name).delete(name)
        except OSError as error:
            logger.warning("%s cannot be removed: %s", name, error)
        except FileStoreUnavailable:
            logger.warning("%s and those after it are not removed; manage.py check_media finds them", name)
            return  # each would wait as long


def _storages() -> tuple[Any, Any]:
    return storages["originals"], storages["default"]


def stored() -> Iterator[tuple[str, float]]:
    """Each file's storage name, whoever made it, and the time of its last change, in seconds."""
    places: dict[str, Any] = {storage.place: storage for storage in _storages()}
    for place, storage in places.items():
        for name, changed_at in storage.walk():
            # An original among the renditions, where everyone may read it, is none of ours: it is named apart.
            yield name if storage_of(name).place == place else f"{place}: {name}", changed_at


def exists(name: str) -> bool:
    return bool(storage_of(name).exists(name))


def is_ours(name: str) -> bool:
    """Whether a file of this name can be of our making."""
    return OURS.fullmatch(name) is not None


def originals_of(name: str) -> list[str]:
    """The names that an original may have to which a file of this name belongs; none for a name not of our making."""
    ours = OURS.fullmatch(name)
    return [f"{ours[1]}.{extension}" for extension in EXTENSIONS.values()] if ours else []

"""The files of images: generates their names, writes, reads and removes them.

`products/ab/NAME.jpg` is an original, `products/ab/NAME-full.jpg` a rendition of it and
`products/ab/NAME-full.webp` the same in another format; NAME is 32 random hexadecimal digits,
and `ab` its first two. Originals, which only staff can read, and renditions, which everyone can read,
have separate storages. On a disk both are in one folder.
"""

import logging
import re
import secrets
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile, File
from django.core.files.storage import storages

from productbackend.errors import FileStoreUnavailable
from productbackend.storages import media
from productbackend.storages.local import PART
from products.images.renditions import EXTENSIONS, Result
from products.models import ProductImage

logger = logging.getLogger(__name__)

FOLDER = "products"
# Matches renditions of earlier settings too. A rendition's own name has neither hyphen nor dot.
GENERATED_NAME = re.compile(
    rf"({FOLDER}/([0-9a-f]{{2}})/\2[0-9a-f]{{30}})(-[a-z][a-z0-9]*)?\.({'|'.join(EXTENSIONS.values())})({re.escape(PART)})?"
)


def new_name(extension: str) -> str:
    """A random, unused storage name."""
    name = secrets.token_hex(16)
    return f"{FOLDER}/{name[:2]}/{name}.{extension}"


def rendition_name(original: str, rendition: str, format: str | None = None) -> str:
    """The rendition's storage name, in `format` or the original's own format."""
    stem, _, extension = original.rpartition(".")
    return f"{stem}-{rendition}.{EXTENSIONS[format] if format else extension}"


def recorded_files(image: ProductImage) -> list[str]:
    """The files that the row names: the original and its renditions."""
    files = [image.original]
    for rendition in image.renditions.values():
        files += [rendition["file"], *rendition.get("others", [])]
    return files


def candidate_files(image: ProductImage) -> list[str]:
    """Every file that the image can have, including renditions that a worker has written since this row was read."""
    expected = {
        rendition_name(image.original, name, format)
        for name, wanted in settings.IMAGE_RENDITIONS.items()
        for format in (None, *wanted["formats"])
    }
    return [image.original, *sorted({*recorded_files(image)[1:], *expected})]


def write_renditions(original: str, result: Result, *, only: Collection[str] | None = None) -> dict[str, Any]:
    """Write the renditions' files, or those in `only`. Returns the value for the row's `renditions`."""
    described = {}
    for name, rendition in result.renditions.items():
        file = rendition_name(original, name)
        others = {rendition_name(original, name, format): data for format, data in rendition.others.items()}
        for written, data in {file: rendition.data, **others}.items():
            if only is None or written in only:
                write(written, ContentFile(data))
        described[name] = {"file": file, "width": rendition.width, "height": rendition.height, "others": [*others]}
    return described


def storage_for(name: str) -> Any:
    """The storage for a file of this name."""
    return storages["default" if "-" in name else "originals"]


def write(name: str, content: File) -> None:
    """Write a file atomically. Raises FileStoreUnavailable."""
    storage = storage_for(name)
    if storage.has_no_folder(name) and ProductImage.objects.exists():
        # The disk is not mounted: mounting it later would hide this file.
        logger.warning("%s has no folder %s though there are images: is its disk mounted?", storage.root, FOLDER)
        raise FileStoreUnavailable
    storage.save(name, content)


def open_file(name: str) -> File:
    """Open a file for reading. Raises FileNotFoundError, FileStoreUnavailable."""
    file: File = storage_for(name).open(name)
    return file


def remove(names: Iterable[str]) -> None:
    """Remove files and their partial files of interrupted writes. Failures are logged."""
    for name in names:
        try:
            storage_for(name).delete(name)
        except OSError as error:
            logger.warning("%s cannot be removed: %s", name, error)
        except FileStoreUnavailable:
            logger.warning("%s and those after it are not removed; manage.py check_media finds them", name)
            return  # each of the others would time out too


def _storages() -> tuple[Any, Any]:
    return storages["originals"], storages["default"]


def walk() -> Iterator[tuple[str, float]]:
    """Each file's storage name, and the time of its last change, in seconds.

    Foreign files are included, but not those of other apps.
    """
    places: dict[str, Any] = {storage.root: storage for storage in _storages()}
    for place, storage in places.items():
        for name, changed_at in storage.walk():
            if name.partition("/")[0] in media.OTHER_FOLDERS:
                continue
            # An original in the storage of renditions, where everyone can read it, is reported as foreign.
            yield name if storage_for(name).root == place else f"{place}: {name}", changed_at


def exists(name: str) -> bool:
    return bool(storage_for(name).exists(name))


def has_generated_name(name: str) -> bool:
    """Whether `new_name` or `rendition_name` can have generated this name."""
    return GENERATED_NAME.fullmatch(name) is not None


def originals_of(name: str) -> list[str]:
    """The possible names of the original that a file belongs to; none for a foreign name."""
    match = GENERATED_NAME.fullmatch(name)
    return [f"{match[1]}.{extension}" for extension in EXTENSIONS.values()] if match else []

"""Makes the renditions of images anew, as the settings want them by now.

All files get a new name, for a rendition may be kept for ever under the one that it has. The old
stand serves until the row names the new one; then its files go. What a stop in the middle leaves
behind `manage.py check_media` finds.
"""

import multiprocessing
import os
import signal
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from itertools import islice

from django.conf import settings
from django.db import connections

from productbackend.errors import FileStoreUnavailable
from products import image_files, renditions
from products.models import ProductImage

BATCH = 200
AHEAD = 4  # images that wait for each process


def due(*, everything: bool = False) -> Iterator[tuple[int, list[int]]]:
    """For one batch of ready images after another: how many they are, and the ids of those to be made anew."""
    rows = ProductImage.objects.filter(status=ProductImage.Status.READY).order_by("pk")
    last = 0
    while batch := list(rows.filter(pk__gt=last)[:BATCH]):
        yield len(batch), [image.pk for image in batch if everything or not fits(image)]
        last = batch[-1].pk


def fits(image: ProductImage) -> bool:
    """Whether the image has the renditions that the settings want, and their files are there."""
    wanted = {
        name: (
            *renditions.fitted((image.width, image.height), plan["box"]),
            {_ending(image_files.rendition_name("", name, format)) for format in (image.format, *plan["formats"])},
        )
        for name, plan in settings.IMAGE_RENDITIONS.items()
    }
    has = {
        name: (made["width"], made["height"], {_ending(file) for file in (made["file"], *made.get("others", []))})
        for name, made in image.renditions.items()
    }
    return has == wanted and all(image_files.exists(file) for file in image_files.made(image))


def _ending(file: str) -> str:
    return file[file.rindex("-") :]


def rebuild(image_id: int) -> str | None:
    """Make an image's renditions anew. Returns why that is not possible; the old ones then stay."""
    image = ProductImage.objects.filter(pk=image_id, status=ProductImage.Status.READY).first()
    if image is None:
        return None  # gone meanwhile
    original = image_files.new_name(image.original.rpartition(".")[2])
    new = ProductImage(original=original)
    stands = False
    try:
        with image_files.opened(image.original) as file:
            result = renditions.make(file, plan=settings.IMAGE_RENDITIONS, max_pixels=settings.IMAGE_MAX_PIXELS)
            image_files.write(original, file)
        new.renditions = image_files.write_renditions(original, result)
        rows = ProductImage.objects.filter(pk=image_id, original=image.original, status=ProductImage.Status.READY)
        stands = bool(rows.update(original=original, renditions=new.renditions))
    except FileNotFoundError:
        return "The uploaded file is gone." if ProductImage.objects.filter(pk=image_id).exists() else None
    except (renditions.BadPicture, FileStoreUnavailable) as error:
        return str(error)
    finally:
        image_files.remove(image_files.possible(image if stands else new))
    return None


def rebuild_all(ids: Iterator[int], *, processes: int) -> Iterator[tuple[int, str | None]]:
    """Rebuild images in so many processes; yields each one's id and what `rebuild` returned, as they end."""
    if processes == 1:
        yield from ((image_id, rebuild(image_id)) for image_id in ids)
        return
    connections.close_all()  # each process opens its own
    context = multiprocessing.get_context("fork")
    pool = ProcessPoolExecutor(processes, mp_context=context, initializer=_leave_ctrl_c_to_the_parent)
    waiting: dict[Future[str | None], int] = {}
    try:
        pool.submit(os.getpid).result()  # starts all processes, before a connection is opened here
        while True:
            for image_id in islice(ids, processes * AHEAD - len(waiting)):
                waiting[pool.submit(rebuild, image_id)] = image_id
            if not waiting:
                return
            done, _ = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                yield waiting.pop(future), future.result()
    finally:
        pool.shutdown(cancel_futures=True)  # what is begun is brought to its end


def _leave_ctrl_c_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)

"""Celery's queue on disk, for a machine without Redis: kombu's, with one mend.

kombu writes a message in place, so that a reader can meet half of it and the worker ends
(celery/kombu#1551). Here a message is written under another name and appears by a rename.
"""

import os
import uuid
from time import monotonic
from typing import Any

from kombu.exceptions import ChannelError
from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.encoding import str_to_bytes
from kombu.utils.json import dumps


class Channel(filesystem.Channel):
    """Publishes a message whole or not at all."""

    def _put(self, queue: str, payload: Any, **kwargs: Any) -> None:  # type: ignore[override]  # as kombu itself
        name = os.path.join(self.data_folder_out, f"{round(monotonic() * 1000)}_{uuid.uuid4()}.{queue}.msg")
        try:
            with open(f"{name}.part", "wb") as file:  # no reader takes what does not end in .msg
                file.write(str_to_bytes(dumps(payload)))
            os.rename(f"{name}.part", name)
        except OSError as error:
            raise ChannelError(f"Cannot add file {name!r} to directory") from error


class Transport(filesystem.Transport):
    Channel = Channel


TRANSPORT_ALIASES["filesystem"] = "productbackend.filesystem_broker:Transport"
